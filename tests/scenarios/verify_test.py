"""`waxwing verify` says of a message what its receiver found."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import certificates
import scenario

EGRESS = "192.0.2.25"


class Verify(scenario.Scenario):
    @classmethod
    def build_world(cls):
        identity = certificates.leaf(None, ["mx.recv.example"])
        cls.host = cls.receiving_host("mx.recv.example", "127.0.0.2", ["recv.example"], identity)
        cls.dns.add("_25._tcp.mx.recv.example", "TLSA", identity.tlsa())
        cls.dns.add_txt("spf.example", f"v=spf1 ip4:{EGRESS} -all")
        cls.dns.add_txt("_dmarc.spf.example", "v=DMARC1; p=reject")

    def verify(self, octets, *arguments, expect):
        file = self.folder / "message.eml"
        file.write_bytes(octets)
        answer = self.relay.command("verify", *arguments, file)
        self.assertEqual(answer.returncode, expect, answer.stdout + answer.stderr)
        return answer.stdout

    def test_a_message_of_ours_passes_as_it_was_stored_and_with_lf_alone(self):
        self.submit_ok("good@recv.example")
        wire = self.host.wait_for_message("good@recv.example").from_first_signature()
        printed = self.verify(wire, expect=0)
        self.assertTrue(printed.startswith("Authentication-Results: relay.sender.example;"), printed)
        self.assertEqual(printed.count("dkim=pass"), 2, printed)
        self.assertIn("dmarc=pass", printed)
        self.verify(wire.replace(b"\r\n", b"\n"), expect=0)
        self.verify(b"From ann Sat Jan 31 12:00:00 2026\n" + wire.replace(b"\r\n", b"\n"), expect=0)
        object_ = self.relay.ask_json("verify", self.folder / "message.eml")[0]
        self.assertTrue(object_["accepted"])
        self.assertEqual({signature["result"] for signature in object_["dkim"]}, {"pass"})
        printed = self.verify(wire.replace(b"Hello", b"Hallo"), expect=1)
        self.assertIn("dkim=fail", printed)
        self.assertIn("dmarc=fail", printed)

    def test_spf_is_judged_when_the_client_is_told(self):
        octets = scenario.stock_clients.message("ann@spf.example", "somebody@recv.example").encode()
        printed = self.verify(octets, "--ip", EGRESS, "--mail-from", "ann@spf.example", expect=0)
        self.assertIn("spf=pass", printed)
        printed = self.verify(octets, "--ip", "198.51.100.1", "--mail-from", "ann@spf.example", expect=1)
        self.assertIn("spf=fail", printed)
        self.assertNotIn("spf=", self.verify(octets, expect=1))
        self.assertIn("smtp.helo=spf.example", self.verify(octets, "--ip", EGRESS, "--helo", "spf.example", expect=0))

    def test_what_cannot_be_read_has_the_status_of_sysexits(self):
        self.assertEqual(self.relay.command("verify", self.folder / "nothing").returncode, 66)
        self.verify(b"\x00\x01 no message", expect=65)
        self.assertEqual(self.relay.command("verify", "-", "--ip", "1.2.3.4.5", stdin="From: a@b.example\n\n").returncode, 65)

    def test_a_large_message_passes_in_pieces(self):
        octets = scenario.stock_clients.message("ann@spf.example", "somebody@recv.example").encode() + b"x" * 70 + b"\r\n"
        octets += (b"y" * 70 + b"\r\n") * 600_000
        self.verify(octets, "--ip", EGRESS, "--mail-from", "ann@spf.example", expect=0)


if __name__ == "__main__":
    scenario.main()
