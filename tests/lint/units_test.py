"""The systemd units: well formed, and as closed as they promise."""

import configparser
import re
import shutil
import subprocess
import sys
import unittest

import project

sys.path.insert(0, str(project.ROOT / "tests" / "support"))

import debian_unpack

UNITS = project.ROOT / "systemd"


class Units(unittest.TestCase):
    def test_the_service_is_exposed_by_two_at_most(self):
        tree = debian_unpack.unpack("systemd")
        answer = subprocess.run([tree.program("usr/bin/systemd-analyze"), "security", "--offline=true", "--threshold=20", "--no-pager",
                                 str(UNITS / "waxwing.service")], capture_output=True, text=True, env=tree.environment())
        exposure = re.search(r"exposure level for waxwing.service: ([\d.]+)", answer.stdout)
        self.assertTrue(exposure, answer.stderr)
        self.assertLessEqual(float(exposure.group(1)), 2.0)
        self.assertEqual(answer.returncode, 0, answer.stderr)

    def test_the_units_are_well_formed(self):
        if not shutil.which("systemd-analyze"):
            self.skipTest("systemd-analyze is not installed")
        answer = subprocess.run(["systemd-analyze", "verify", "--man=no", *map(str, sorted(UNITS.glob("waxwing*.s[eo]*")))],
                                capture_output=True, text=True)
        complaints = [line for line in answer.stderr.splitlines()
                      if "waxwing" in line and "is not executable" not in line]
        self.assertEqual(complaints, [])

    def test_each_socket_belongs_to_the_service(self):
        for unit in sorted(UNITS.glob("*.socket")):
            with self.subTest(unit=unit.name):
                parser = configparser.ConfigParser(strict=False, interpolation=None)
                parser.optionxform = str
                parser.read(unit)
                self.assertEqual(parser["Socket"]["Service"], "waxwing.service")
                self.assertEqual(f"waxwing-{parser['Socket']['FileDescriptorName']}.socket", unit.name)

    def test_the_account_of_the_service_is_made_by_sysusers(self):
        accounts = re.findall(r"^u (\S+)", (UNITS / "waxwing.sysusers").read_text(), re.MULTILINE)
        users = re.findall(r"^User=(.*)$", (UNITS / "waxwing.service").read_text(), re.MULTILINE)
        self.assertEqual(users, accounts)


if __name__ == "__main__":
    unittest.main()
