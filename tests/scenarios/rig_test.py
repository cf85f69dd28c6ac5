"""The rig itself: what it calls secure, bogus and matching is so for independent programs too."""

import pathlib
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import certificates
import debian_unpack
import dns_world
import postfix_world
import processes
import scenario


class Rig(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = processes.scratch_folder("rig")
        cls.addClassCleanup(processes.remove_folder, cls.folder)
        cls.dns = dns_world.DnsWorld(cls.folder)
        cls.addClassCleanup(cls.dns.close)
        identity = certificates.leaf(None, ["mx.good.example"])
        cls.host = postfix_world.Postfix(cls.folder, "mx.good.example", "127.0.0.2", 25, ["good.example"], identity).start()
        cls.addClassCleanup(cls.host.stop)
        for name, tlsa in (("good", identity.tlsa()), ("wrong", certificates.wrong_tlsa())):
            cls.dns.add(f"{name}.example", "MX", f"10 mx.{name}.example.")
            cls.dns.add(f"mx.{name}.example", "A", "127.0.0.2")
            cls.dns.add(f"_25._tcp.mx.{name}.example", "TLSA", tlsa)
        cls.dns.add_zone("insecure.example", signed=False)
        cls.dns.add("insecure.example", "MX", "10 mx.good.example.")
        cls.dns.add_zone("expired.example").expired = True
        cls.dns.add("expired.example", "MX", "10 mx.good.example.")
        cls.dns.add("spoiled.example", "A", "127.0.0.2")
        cls.dns.break_signature("spoiled.example", "A")
        cls.dns.silence("silent.example")
        cls.dns.apply()

    def test_signed_answers_are_secure(self):
        self.assertTrue(self.dns.ask("good.example", "MX").startswith("NOERROR AD "))
        self.assertTrue(self.dns.ask(".", "SOA").startswith("NOERROR AD "))

    def test_absence_is_proven(self):
        self.assertEqual(self.dns.ask("nothing.example", "A"), "NXDOMAIN AD")
        self.assertEqual(self.dns.ask("good.example", "TLSA"), "NOERROR AD")

    def test_an_unsigned_delegation_is_insecure(self):
        self.assertTrue(self.dns.ask("insecure.example", "MX").startswith("NOERROR insecure.example."))

    def test_expired_and_spoiled_signatures_are_bogus(self):
        self.assertEqual(self.dns.ask("expired.example", "MX"), "SERVFAIL")
        self.assertEqual(self.dns.ask("spoiled.example", "A"), "SERVFAIL")

    def test_a_silent_server_gives_no_answer(self):
        self.assertEqual(self.dns.ask("silent.example", "MX", timeout_s=1), "NONE")

    def test_changes_are_seen_at_once(self):
        self.dns.add("new.example", "A", "127.0.0.7")
        self.dns.apply()
        self.assertIn("127.0.0.7", self.dns.ask("new.example", "A"))

    def finger(self, domain):
        """Postfix's own DANE client as the second opinion."""
        resolver = self.folder / "resolv.conf"
        resolver.write_text(f"nameserver {self.dns.address}\noptions trust-ad\n")
        tree = debian_unpack.unpack("postfix")
        command = ["unshare", "--mount", "sh", "-c", 'mount --bind "$1" "$(readlink -f /etc/resolv.conf)" && shift && exec "$@"', "sh",
                   str(resolver), tree.program("usr/sbin/posttls-finger"), "-c", "-l", "dane", "-t", "10", domain]
        environment = {**tree.environment(), "MAIL_CONFIG": str(self.host.folder)}
        answer = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
        return answer.stdout + answer.stderr

    def test_postfix_verifies_the_host_whose_tlsa_record_matches(self):
        self.assertIn("Verified TLS connection established", self.finger("good.example"))

    def test_postfix_refuses_the_host_whose_tlsa_record_does_not_match(self):
        answer = self.finger("wrong.example")
        self.assertNotIn("Verified TLS", answer)
        self.assertIn("Untrusted TLS", answer)


if __name__ == "__main__":
    scenario.main()
