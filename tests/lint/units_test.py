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
    def exposure(self, unit):
        tree = debian_unpack.unpack("systemd")
        answer = subprocess.run([tree.program("usr/bin/systemd-analyze"), "security", "--offline=true", "--no-pager", str(UNITS / unit)],
                                capture_output=True, text=True, env=tree.environment())
        found = re.search(rf"exposure level for {unit}: ([\d.]+)", answer.stdout)
        self.assertTrue(found, answer.stderr)
        return float(found.group(1))

    def test_the_service_is_exposed_by_two_at_most(self):
        self.assertLessEqual(self.exposure("waxwing.service"), 2.0)

    def test_the_signer_is_exposed_by_seven_tenths_at_most(self):
        self.assertLessEqual(self.exposure("waxwing-signer.service"), 0.7)

    def test_the_signer_has_no_network_and_the_relay_does_not_see_its_keys(self):
        signer = (UNITS / "waxwing-signer.service").read_text()
        self.assertIn("\nPrivateNetwork=yes\n", signer)
        self.assertIn("\nRestrictAddressFamilies=AF_UNIX\n", signer)
        self.assertIn("\nInaccessiblePaths=-/var/lib/waxwing-signer\n", (UNITS / "waxwing.service").read_text())
        self.assertRegex((UNITS / "waxwing.tmpfiles").read_text(), r"d /var/lib/waxwing-signer 0700 waxwing-signer waxwing-signer")

    def test_the_keys_service_is_as_closed_as_the_relay(self):
        def closed(name):
            lines = (UNITS / name).read_text().splitlines()
            return {line for line in lines if re.match(r"(Protect|Private|Restrict|SystemCall|NoNew|Memory|Lock|Device|Remove|Keyring|Cap)", line)}

        self.assertEqual(closed("waxwing-keys.service"), closed("waxwing.service"))

    def test_where_the_signer_keeps_the_keys_its_user_rotates_them(self):
        drop_in = (UNITS / "waxwing-keys-by-signer.conf").read_text()
        signer = (UNITS / "waxwing-signer.service").read_text()
        for line in ("User=waxwing-signer", "Group=waxwing-signer", "StateDirectory=waxwing-signer", "InaccessiblePaths=-/var/lib/waxwing"):
            self.assertIn(f"\n{line}\n", drop_in)
            self.assertIn(f"\n{line}\n", signer)

    def test_the_units_are_well_formed(self):
        if not shutil.which("systemd-analyze"):
            self.skipTest("systemd-analyze is not installed")
        answer = subprocess.run(["systemd-analyze", "verify", "--man=no", *map(str, sorted(UNITS.glob("waxwing*.[st][eoi]*[ter]")))],
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
                service = "waxwing-signer.service" if unit.name == "waxwing-signer.socket" else "waxwing.service"
                self.assertEqual(parser["Socket"]["Service"], service)
                self.assertEqual(f"waxwing-{parser['Socket']['FileDescriptorName']}.socket", unit.name)

    def test_the_account_of_the_service_is_made_by_sysusers(self):
        accounts = re.findall(r"^u (\S+)", (UNITS / "waxwing.sysusers").read_text(), re.MULTILINE)
        users = [user for unit in sorted(UNITS.glob("*.service"))
                 for user in re.findall(r"^User=(.*)$", unit.read_text(), re.MULTILINE)]
        self.assertEqual(sorted(set(users)), sorted(accounts))


if __name__ == "__main__":
    unittest.main()
