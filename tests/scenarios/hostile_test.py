"""Receivers and a DNS that mean ill: mail waits or goes back to its sender, in time, never in clear text, without a crash.

One relay, one resolver's place taken by a DNS server of the test, and one domain for each misbehaviour, all at once.
"""

import pathlib
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import certificates
import dns.rcode
import dns.rdatatype
import hostile_dns
import hostile_receiver as hostile
import hostile_world
import private_namespace
import processes
import relay
import scenario
import smtplib
import stock_clients

LIMIT_S = 60
REPLY_TIMEOUT_S = 12  # far less than the default, so that who says nothing is given up within the limit

# What a receiver does, and what must become of the message.
RECEIVERS = {
    # Before TLS
    "silent": (hostile.Peer.hang, "deferred"),
    "trickle": (hostile.trickle, "deferred"),
    "banner-4yz": (hostile.saying("421 4.3.2 Not now"), "deferred"),
    "banner-5yz": (hostile.saying("554 5.7.1 Not you"), "deferred"),
    "banner-garbage": (hostile.saying("\x00\xff\x01\r"), "deferred"),
    "banner-http": (hostile.saying("HTTP/1.1 400 Bad Request", ""), "deferred"),
    "banner-endless": (lambda peer: peer.flood(b"220-more\r\n"), "deferred"),
    "banner-one-line": (lambda peer: peer.flood(b"220-more"), "deferred"),
    "banner-close": (lambda peer: None, "deferred"),
    "banner-reset": (hostile.Peer.reset, "deferred"),
    "starttls-stripped": (hostile.no_starttls, "deferred"),
    "starttls-4yz": (hostile.after_starttls("454 4.7.0 Not now", hostile.Peer.hang), "deferred"),
    "starttls-5yz": (hostile.after_starttls("554 5.7.0 No TLS today", hostile.Peer.hang), "deferred"),
    "starttls-250": (hostile.after_starttls("250 Ok", hostile.Peer.hang), "deferred"),
    "starttls-mixed": (hostile.after_starttls("220-Go\r\n554 Or not", hostile.Peer.hang), "deferred"),
    "starttls-clear": (hostile.after_starttls("220 Go", lambda peer: peer.flood(b"250 Still here\r\n")), "deferred"),
    "starttls-hang": (hostile.after_starttls("220 Go", hostile.Peer.hang), "deferred"),
    "starttls-close": (hostile.after_starttls("220 Go", lambda peer: None), "deferred"),
    "starttls-reset": (hostile.after_starttls("220 Go", hostile.Peer.reset), "deferred"),
    "starttls-injected": (hostile.inject, "delivered"),
    # The handshake, and right after it
    "tls-version-1": (hostile.old_tls, "deferred"),
    "tls-close-notify": (hostile.close_after_handshake, "deferred"),
    "tls-reset": (hostile.reset_after_handshake, "deferred"),
    "ehlo-4yz": (hostile.answering(EHLO="421 4.3.2 Not now"), "deferred"),
    "ehlo-hang": (hostile.answering(EHLO=hostile.Peer.hang), "deferred"),
    "ehlo-endless": (hostile.answering(EHLO=lambda peer: peer.flood(b"250-X\r\n")), "deferred"),
    # Replies that cannot be trusted, inside TLS
    "mail-221": (hostile.answering(MAIL="221 2.0.0 Bye"), "deferred"),
    "mail-twice": (hostile.answering(MAIL=hostile.say_twice), "deferred"),
    "rcpt-354": (hostile.answering(RCPT="354 Go ahead"), "deferred"),
    "rcpt-mixed": (hostile.answering(RCPT="250-Ok\r\n550 5.1.1 Or not"), "deferred"),
    "data-250": (hostile.answering(DATA="250 2.0.0 Ok"), "deferred"),
    "data-hang": (hostile.answering(DATA=hostile.Peer.hang), "deferred"),
    "content-cut": (hostile.answering(DATA=hostile.cut_content), "deferred"),
    "end-221": (hostile.answering(END="221 2.0.0 Bye"), "deferred"),
    "end-354": (hostile.answering(END="354 Go on"), "deferred"),
    "end-mixed": (hostile.answering(END="250-2.0.0 Ok\r\n451 4.3.0 Or not"), "deferred"),
    "end-other-class": (hostile.answering(END="250 5.7.1 Refused"), "deferred"),
    "end-endless": (hostile.answering(END=lambda peer: peer.flood(b"250-2.0.0 Ok\r\n")), "deferred"),
    "end-reset": (hostile.answering(END=hostile.Peer.reset), "deferred"),
    "end-4yz": (hostile.answering(END="451 4.3.0 Not now"), "deferred"),
    # What a server may say, whatever it means by it
    "mail-5yz": (hostile.answering(MAIL="550 5.7.1 Not from you"), "bounced"),
    "rcpt-5yz": (hostile.answering(RCPT="550 5.1.1 <script>alert(1)</script>\x07"), "bounced"),
    "end-5yz": (hostile.answering(END="554-5.7.1 First\r\n554-5.7.1 Bcc: victim@sender.example\r\n554 5.7.1 .\r"), "bounced"),
}

WEAK_CERTIFICATES = ("expired", "wrong-name", "self-signed", "rsa-1024", "common-name")

# What DNS does to one question of an otherwise healthy domain: host, type, answer, and what must become of the message.
DNS_LIES = {
    "tlsa-servfail": ("TLSA", hostile_dns.refuse(dns.rcode.SERVFAIL), "deferred"),
    "tlsa-refused": ("TLSA", hostile_dns.refuse(dns.rcode.REFUSED), "deferred"),
    "tlsa-silent": ("TLSA", hostile_dns.say_nothing, "deferred"),
    "tlsa-garbage": ("TLSA", hostile_dns.garbage, "deferred"),
    # Records that are none are unusable: TLS is a must, and its certificate is not looked at (RFC 7672 §2.2).
    "tlsa-0-octets": ("TLSA", hostile_dns.raw_records(dns.rdatatype.TLSA, b""), "delivered"),
    "tlsa-1-octet": ("TLSA", hostile_dns.raw_records(dns.rdatatype.TLSA, b"\x03"), "delivered"),
    "tlsa-3-octets": ("TLSA", hostile_dns.raw_records(dns.rdatatype.TLSA, b"\x03\x01\x01"), "delivered"),
    "tlsa-1000": ("TLSA", hostile_dns.raw_records(dns.rdatatype.TLSA, *(
        b"\x03\x01\x01" + number.to_bytes(32, "big") for number in range(1000))), "deferred"),
    "address-loop": ("A", hostile_dns.loop_of_aliases, "deferred"),
    "address-servfail": ("A", hostile_dns.refuse(dns.rcode.SERVFAIL), "deferred"),
    "address-garbage": ("A", hostile_dns.garbage, "deferred"),
    "mx-loop": ("MX", hostile_dns.loop_of_aliases, "deferred"),
    "mx-servfail": ("MX", hostile_dns.refuse(dns.rcode.SERVFAIL), "deferred"),
    "mx-silent": ("MX", hostile_dns.say_nothing, "deferred"),
    # As many as a message holds. All name one host that nobody knows.
    "mx-2500": ("MX", hostile_dns.raw_records(dns.rdatatype.MX, *(
        number.to_bytes(2, "big") + b"\x02mx\x07nowhere\x00" for number in range(2500))), "deferred"),
    "mx-empty": ("MX", hostile_dns.raw_records(dns.rdatatype.MX, b"", b"\x00", b"\x00\x0a"), "deferred"),
}

OWN_ADDRESS = "127.0.2.1"


class Hostile(hostile_world.HostileWorld):
    """All messages are submitted first; then each test looks at what became of those that it names."""

    @classmethod
    def setUpClass(cls):
        cls.build_world("hostile")
        cls.expected = {}
        cls.add_receivers()
        cls.add_lies()
        cls.add_own_host()
        cls.start_relay(REPLY_TIMEOUT_S, [{"name": "local", "address": "127.0.0.1", "port": 2525, "tls": "none"},
                                          {"name": "incoming", "address": OWN_ADDRESS, "port": 25, "tls": "none"}])
        began = time.monotonic()
        cls.submit_each([([f"x@{name}.example"], None) for name in cls.expected])
        cls.outcomes = cls.watch(began)

    @classmethod
    def expect(cls, name, expected, misbehaviour, identity=None):
        cls.expected[name] = expected
        return cls.receiver(name, misbehaviour, identity)

    @classmethod
    def add_receivers(cls):
        for name, (misbehaviour, expected) in RECEIVERS.items():
            cls.expect(name, expected, misbehaviour)
        another = certificates.authority("Another Authority")
        for name, identity in (
                ("expired", certificates.leaf(cls.authority, ["mx.expired.example"], expired=True)),
                ("wrong-name", certificates.leaf(cls.authority, ["mx.elsewhere.example"])),
                ("self-signed", certificates.leaf(None, ["mx.self-signed.example"])),
                ("rsa-1024", certificates.leaf(cls.authority, ["mx.rsa-1024.example"], key_kind="rsa-1024")),
                ("common-name", certificates.leaf(cls.authority, [], subject="mx.common-name.example")),
                ("other-authority", certificates.leaf(another, ["mx.other-authority.example"]))):
            cls.expect(name, "deferred", hostile.honest, identity)
        cls.honest = cls.expect("honest", "delivered", hostile.honest)
        cls.home = cls.receiver("sender", hostile.honest)

    @classmethod
    def add_lies(cls):
        for name, (record_type, answer, expected) in DNS_LIES.items():
            cls.expect(name, expected, hostile.honest)
            owner = {"TLSA": f"_25._tcp.mx.{name}.example", "A": f"mx.{name}.example", "MX": f"{name}.example"}[record_type]
            cls.dns.lie(owner, record_type, answer)

    @classmethod
    def add_own_host(cls):
        cls.dns.add("ourselves.example", "MX", "10 mx.ourselves.example.")
        cls.dns.add("mx.ourselves.example", "A", OWN_ADDRESS)
        cls.expected["ourselves"] = "bounced"

    @classmethod
    def watch(cls, began):
        """Waits until every message has an outcome, and notes the time; those without one are missing."""
        outcomes = {}
        while len(outcomes) < len(cls.expected) and time.monotonic() < began + LIMIT_S:
            waiting = {entry["recipient"]: entry for entry in cls.relay.queue()}
            for name in cls.expected.keys() - outcomes.keys():
                entry = waiting.get(f"x@{name}.example")
                if entry is None:
                    bounced = any(f"x@{name}.example".encode() in content for content in cls.home.kept)
                    outcomes[name] = ("bounced" if bounced else "delivered", "")
                elif entry["state"] == "deferred" and entry["attempts"] > 0:
                    outcomes[name] = ("deferred", entry["reason"])
            time.sleep(0.5)
        # The queue lets go of a message before the report about it reaches its sender.
        for name, (outcome, reason) in outcomes.items():
            if outcome == "delivered" and any(f"x@{name}.example".encode() in content for content in cls.home.kept):
                outcomes[name] = ("bounced", reason)
        return outcomes

    def test_every_message_has_the_outcome_that_it_must_have_within_a_minute(self):
        for name, expected in self.expected.items():
            with self.subTest(name=name):
                self.assertIn(name, self.outcomes, f"no outcome within {LIMIT_S} s")
                outcome, reason = self.outcomes[name]
                self.assertEqual(outcome, expected, reason)

    def test_what_is_deferred_says_why_in_a_sentence(self):
        for name, (outcome, reason) in self.outcomes.items():
            with self.subTest(name=name):
                if outcome == "deferred":
                    self.assertRegex(reason, r"^[ -~§]{20,}\.$")

    def test_nothing_of_a_message_is_ever_sent_in_clear_text(self):
        for name, receiver in self.receivers.items():
            with self.subTest(name=name):
                self.assertFalse(receiver.saw_mail_in_clear_text(), receiver.clear_text[:500])

    def test_a_certificate_that_proves_nothing_gets_no_message(self):
        for name in WEAK_CERTIFICATES:
            with self.subTest(name=name):
                self.assertGreater(self.receivers[name].connections, 0)
                self.assertEqual(self.receivers[name].kept, [])
                self.assertIn(f"mx.{name}.example", self.outcomes[name][1])

    def test_a_host_about_which_dns_does_not_tell_the_truth_is_not_connected_to(self):
        for name in ("tlsa-servfail", "tlsa-refused", "tlsa-silent", "tlsa-garbage"):
            with self.subTest(name=name):
                self.assertEqual(self.receivers[name].connections, 0)
                self.assertIn("TLSA", self.outcomes[name][1])

    def test_what_was_injected_before_tls_is_not_believed_inside_it(self):
        self.assertEqual(len(self.receivers["starttls-injected"].kept), 1)

    def test_mail_for_a_domain_that_leads_back_here_is_returned_without_a_connection(self):
        report = next(content for content in self.home.kept if b"x@ourselves.example" in content)
        self.assertIn(b"5.4.6", report)
        self.assertEqual([event for event in self.relay.events() if event.get("listener") == "incoming"], [])

    def test_what_a_server_says_makes_no_header_and_no_markup_in_a_report(self):
        reports = [content for content in self.home.kept if b"x@end-5yz.example" in content or b"x@rcpt-5yz.example" in content]
        self.assertEqual(len(reports), 2)
        for report in reports:
            self.assertNotRegex(report, rb"(?m)^Bcc:")
            self.assertNotIn(b"\x07", report)
            self.assertNotIn(b"text/html", report)

    def test_the_relay_still_works(self):
        self.assertEqual(len(self.honest.kept), 1)
        with smtplib.SMTP("127.0.0.1", 2525, local_hostname="client.example", timeout=60) as client:
            client.login(scenario.USER, scenario.PASSWORD)
            client.sendmail(scenario.SENDER, ["again@honest.example"],
                            stock_clients.message(scenario.SENDER, "again@honest.example"))
        processes.wait_until(lambda: len(self.honest.kept) == 2, 20, "delivery after all of it")


class PrivateAddresses(unittest.TestCase):
    """What strangers' MX records may not make the relay connect to."""

    def test_a_host_on_a_private_or_loopback_address_is_not_connected_to(self):
        folder = processes.scratch_folder("hostile")
        self.addCleanup(processes.remove_folder, folder)
        world = hostile_dns.HostileDns()
        self.addCleanup(world.close)
        receiver = hostile.HostileReceiver(folder, "127.0.1.1", certificates.leaf(None, ["mx.inside.example"]), hostile.honest)
        self.addCleanup(receiver.close)
        addresses = ["127.0.1.1", "10.0.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0"]
        world.add("inside.example", "MX", "10 mx.inside.example.")
        for address in addresses:
            world.add("mx.inside.example", "A", address)
        world.add("mx.inside.example", "AAAA", "::ffff:127.0.1.1")
        world.replace_txt("_dmarc.sender.example", "v=DMARC1; p=reject")
        server = relay.Relay(folder, world, {"delivery.allow_non_global_addresses": False})
        server.create_keys("sender.example", "s1")
        server.add_account(scenario.USER, scenario.PASSWORD)
        server.start()
        self.addCleanup(server.stop)
        with smtplib.SMTP("127.0.0.1", 2525, local_hostname="client.example", timeout=60) as client:
            client.login(scenario.USER, scenario.PASSWORD)
            client.sendmail(scenario.SENDER, ["x@inside.example"], stock_clients.message(scenario.SENDER, "x@inside.example"))
        entry = server.wait_for_state("x@inside.example", "deferred")
        self.assertIn("not global", entry["reason"])
        self.assertEqual(receiver.connections, 0)


if __name__ == "__main__":
    private_namespace.enter()
    unittest.main(module="__main__", verbosity=2 if "-v" in sys.argv else 1)
