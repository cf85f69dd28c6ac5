"""Mail from elsewhere goes on with what was found about it, a seal that others verify, and a sender that SPF can check."""

import pathlib
import re
import smtplib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import dkim

import certificates
import scenario

RELAY = "relay.sender.example"
FORWARDING_PORT = 2526


class Forwarding(scenario.Scenario):
    relay_settings = {"forwarding.domain": RELAY}
    relay_listeners = [
        {"name": "local", "address": "127.0.0.1", "port": 2525, "tls": "none", "bare_line_ends": "fix"},
        {"name": "in", "address": "127.0.0.1", "port": FORWARDING_PORT, "tls": "none", "purpose": "forwarding",
         "peers": ["127.0.0.1"]},
    ]

    @classmethod
    def build_world(cls):
        identity = certificates.leaf(None, ["mx.recv.example"])
        cls.host = cls.receiving_host("mx.recv.example", "127.0.0.2", ["recv.example", "elsewhere.example"], identity)
        cls.dns.add("_25._tcp.mx.recv.example", "TLSA", identity.tlsa())
        cls.dns.add("nomail.example", "MX", "0 .")
        cls.dns.add_txt("_dmarc.strict.example", "v=DMARC1; p=reject")

    @classmethod
    def make_relay(cls):
        relay = super().make_relay()
        relay.create_keys(RELAY, "seal")
        return relay

    def forward(self, sender, recipient, octets):
        """Hands a message to the forwarding listener as another server would; gives the reply to the final dot."""
        with smtplib.SMTP("127.0.0.1", FORWARDING_PORT, local_hostname="mx.sender.example", timeout=60) as client:
            client.ehlo()
            for code, reply in (client.mail(sender), client.rcpt(recipient)):
                if code // 100 != 2:
                    return code, reply.decode()
            code, reply = client.data(octets)
            return code, reply.decode()

    def forward_ok(self, sender, recipient, octets):
        code, reply = self.forward(sender, recipient, octets)
        self.assertEqual(code, 250, reply)

    @staticmethod
    def message(sender, recipient, **more):
        """With all that a receiving Postfix would add otherwise, and break what covers its absence."""
        fields = {"Date": "Sat, 31 Jan 2026 12:00:00 +0000", "Message-ID": "<1@elsewhere.example>"}
        return scenario.stock_clients.message(sender, recipient, **fields, **more).encode()

    def delivered(self, recipient):
        """What the receiver stored, from our fields on, and the envelope sender that it saw."""
        octets = self.host.wait_for_message(recipient).octets.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        sender = re.search(rb"^Return-Path: <(.*?)>", octets, re.M).group(1).decode()
        return octets[octets.index(b"ARC-Seal:"):], sender

    def chain(self, octets):
        result, instances, reason = dkim.ARC(octets).verify(dnsfunc=self.dns.lookup_txt)
        self.assertEqual(result, dkim.CV_Pass, reason)
        return len(instances)

    def test_forwarded_mail_is_sealed_says_what_was_found_and_has_a_sender_of_ours(self):
        self.forward_ok("ann@elsewhere.example", "first@recv.example", self.message("ann@elsewhere.example", "first@recv.example"))
        octets, sender = self.delivered("first@recv.example")
        self.assertEqual(self.chain(octets), 1)
        self.assertIn(f"Authentication-Results: {RELAY};".encode(), octets)
        self.assertIn(b"dkim=none", octets)
        self.assertNotIn(b"\nDKIM-Signature:", octets)
        self.assertIn(b"with ESMTP id", octets)
        self.assertRegex(sender, rf"^SRS0=[a-z2-7]{{8}}=[a-z2-7]{{2}}=elsewhere\.example=ann@{re.escape(RELAY)}$")
        # Once more: the chain grows and the sender does not.
        self.forward_ok(sender, "second@recv.example", octets)
        octets, again = self.delivered("second@recv.example")
        self.assertEqual(self.chain(octets), 2)
        self.assertEqual(again, sender)
        self.assertIn(b"cv=pass", octets)
        self.assertEqual(octets.count(f"\nAuthentication-Results: {RELAY};".encode()), 1)  # the earlier one was removed

    def test_what_was_signed_elsewhere_still_verifies(self):
        self.submit_ok("signed@recv.example")
        signed = self.host.wait_for_message("signed@recv.example").from_first_signature()
        self.forward_ok(scenario.SENDER, "onward@recv.example", signed)
        octets, _ = self.delivered("onward@recv.example")
        self.assertEqual(octets.count(b"dkim=pass"), 4, octets)  # two signatures, in two fields
        self.assertIn(b"dmarc=pass", octets)
        self.assertTrue(dkim.DKIM(octets).verify(dnsfunc=self.dns.lookup_txt))

    def test_a_bounce_goes_to_whom_it_belongs_and_a_forged_one_nowhere(self):
        self.forward_ok("bob@elsewhere.example", "third@recv.example", self.message("bob@elsewhere.example", "third@recv.example"))
        _, sender = self.delivered("third@recv.example")
        bounce = self.message("MAILER-DAEMON@recv.example", sender, subject="Undelivered")
        self.forward_ok("", sender, bounce)
        self.host.wait_for_message("bob@elsewhere.example")
        forged = sender.replace("bob@", "eve@")
        self.assertNotEqual(forged, sender)
        code, reply = self.forward("", forged, bounce)
        self.assertEqual(code, 550, reply)
        self.assertIn("code", reply)

    def test_our_own_report_goes_to_the_original_sender(self):
        self.forward_ok("carol@elsewhere.example", "nobody@nomail.example",
                        self.message("carol@elsewhere.example", "nobody@nomail.example"))
        report = self.host.wait_for_message("carol@elsewhere.example")
        self.assertIn(b"nobody@nomail.example", report.octets)

    def test_forged_results_under_our_name_are_removed(self):
        forged = f"Authentication-Results: {RELAY}; dmarc=pass\r\n".encode()
        self.forward_ok("ann@elsewhere.example", "forged@recv.example",
                        forged + self.message("ann@elsewhere.example", "forged@recv.example"))
        octets, _ = self.delivered("forged@recv.example")
        self.assertNotIn(b"dmarc=pass", octets)

    def test_what_fails_dmarc_here_is_refused(self):
        code, reply = self.forward("ann@strict.example", "somebody@recv.example",
                                   self.message("ann@strict.example", "somebody@recv.example"))
        self.assertEqual(code, 550, reply)
        self.assertIn("strict.example", reply)

    def test_our_own_mail_is_sealed_only_when_it_has_a_chain(self):
        self.submit_ok("own@recv.example")
        signed = self.host.wait_for_message("own@recv.example").from_first_signature()
        self.assertNotIn(b"ARC-Seal", signed)
        self.forward_ok(scenario.SENDER, "chained@recv.example", signed)
        chained, _ = self.delivered("chained@recv.example")
        without_results = re.sub(rb"(?m)^Authentication-Results:.*\r\n([ \t].*\r\n)*", b"", chained)
        self.submit_ok("resent@recv.example", text=without_results)
        octets, sender = self.delivered("resent@recv.example")
        self.assertEqual(sender, scenario.SENDER)
        self.assertEqual(self.chain(octets), 2)

    def test_only_peers_may_send_without_a_login(self):
        with smtplib.SMTP("127.0.0.1", 2525, local_hostname="mx.sender.example", timeout=60) as client:
            client.ehlo()
            self.assertEqual(client.mail("ann@elsewhere.example")[0], 530)
        with smtplib.SMTP(timeout=60, local_hostname="mx.sender.example", source_address=("127.0.0.5", 0)) as client:
            client.connect("127.0.0.1", FORWARDING_PORT)
            client.ehlo()
            self.assertEqual(client.mail("ann@elsewhere.example")[0], 530)
            client.login(scenario.USER, scenario.PASSWORD)
            self.assertEqual(client.mail("ann@elsewhere.example")[0], 250)


if __name__ == "__main__":
    scenario.main()
