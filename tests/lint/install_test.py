"""What etc/packages/install does when packages are missing, with stand-ins for dpkg and apt."""

import pathlib
import subprocess
import tempfile
import unittest

import project

# `installed` holds what is there, `available` what can be had; an order of which one part cannot be had fails as a whole.
STAND_INS = {
    "dpkg-query": """for package; do :; done
grep -qx "$package" installed && printf 'install ok installed'
""",
    "apt-get": """case " $* " in *" update "*) exit 0 ;; esac
after=
wanted=
for word; do
  [ -n "$after" ] && case $word in --*) ;; *) wanted="$wanted $word" ;; esac
  [ "$word" = install ] && after=yes
done
for package in $wanted; do
  grep -qx "$package" available || { echo "E: Unable to locate package $package"; exit 100; }
done
echo "$wanted" >>orders
for package in $wanted; do echo "$package" >>installed; done
""",
    "id": "cat user\n",
}


class Install(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        for name, text in STAND_INS.items():
            program = self.folder / name
            program.write_text("#!/bin/sh\n" + text)
            program.chmod(0o755)
        self.write("installed", "compiler")
        self.write("available", "compiler", "library", "client", "peer")
        self.write("user", "0")
        self.write("needed", "compiler", "library  # a comment")
        self.write("peers", "client", "gone", "peer")

    def write(self, name, *lines):
        (self.folder / name).write_text("".join(f"{line}\n" for line in lines))

    def install(self, *arguments):
        return subprocess.run([str(project.ROOT / "etc" / "packages" / "install"), *arguments], cwd=self.folder, capture_output=True,
                              text=True, env={"PATH": f"{self.folder}:/usr/bin:/bin"})

    def installed(self):
        return (self.folder / "installed").read_text().split()

    def test_with_all_there_nothing_is_asked_for(self):
        self.write("installed", "compiler", "library")
        answer = self.install("needed")
        self.assertEqual((answer.returncode, answer.stdout, answer.stderr), (0, "", ""))
        self.assertFalse((self.folder / "orders").exists())

    def test_what_is_missing_comes_in_one_order(self):
        self.write("peers", "client")
        self.assertEqual(self.install("needed", "--if-possible", "peers").returncode, 0)
        self.assertEqual((self.folder / "orders").read_text(), " library client\n")

    def test_a_peer_that_cannot_be_had_is_named_and_done_without(self):
        answer = self.install("needed", "--if-possible", "peers")
        self.assertEqual(answer.returncode, 0, answer.stderr)
        self.assertEqual(answer.stderr, "install: gone cannot be had: E: Unable to locate package gone\n")
        self.assertEqual(self.installed(), ["compiler", "library", "client", "peer"])

    def test_what_is_needed_and_cannot_be_had_is_a_failure(self):
        self.write("available", "client", "peer")
        answer = self.install("needed", "--if-possible", "peers")
        self.assertEqual(answer.returncode, 69)
        self.assertIn("E: Unable to locate package library", answer.stderr)

    def test_who_is_not_root_is_stopped_by_what_is_needed_alone(self):
        self.write("user", "1000")
        self.assertEqual(self.install("needed", "--if-possible", "peers").returncode, 77)
        self.write("installed", "compiler", "library")
        self.assertEqual(self.install("needed", "--if-possible", "peers").returncode, 0)
        self.assertEqual(self.installed(), ["compiler", "library"])


if __name__ == "__main__":
    unittest.main()
