"""Mail by routes: smarthosts with and without a login, for all domains, for some, for a tenant; and what keeps a password safe."""

import base64
import hashlib
import pathlib
import smtplib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from cryptography.hazmat.primitives import serialization

import certificates
import debian_unpack
import scenario
import sink
import smarthost
import stock_clients
from processes import wait_until

PASSWORDS = {word: f"{word}-Geheimnis-{word[::-1]}" for word in ("relay", "one", "two", "shop", "mend", "stranger", "implicit")}
WRONG = "wrong-Geheimnis-gnorw"


def pin_of(identity):
    key = identity.certificate.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(key).digest()).decode()


def login(user, password):
    return "235 2.7.0 Welcome" if PASSWORDS.get(user) == password else "535 5.7.8 Authentication credentials invalid"


class Routes(scenario.Scenario):
    @classmethod
    def build_world(cls):
        cls.provider = smarthost.Smarthost(cls.folder, "smtp.smart.example", "127.0.0.2", 587,
                                           certificates.leaf(cls.authority, ["smtp.smart.example"]),
                                           {"relay": PASSWORDS["relay"]}, "PLAIN LOGIN SCRAM-SHA-256").start()
        cls.addClassCleanup(cls.provider.stop)
        cls.dns.add("smtp.smart.example", "A", "127.0.0.2")
        cls.fake = cls.add_sink("fake.smart.example", "127.0.0.3", 587, certificates.leaf(cls.authority, ["fake.smart.example"]))
        cls.stranger = cls.add_sink("stranger.smart.example", "127.0.0.4", 587,
                                    certificates.leaf(None, ["stranger.smart.example"]))
        pinned = certificates.leaf(None, ["whatever.example"])
        cls.pinned = cls.add_sink("pinned.smart.example", "127.0.0.5", 2525, pinned, sink.Behaviour())
        cls.implicit = cls.add_sink("implicit.smart.example", "127.0.0.7", 465,
                                    certificates.leaf(cls.authority, ["implicit.smart.example"]),
                                    sink.Behaviour(login=login, implicit_tls=True))
        cls.dns.add("dead.smart.example", "A", "127.0.0.9")
        cls.dns.add_txt("_dmarc.unsigned.example", "v=DMARC1; p=reject")
        cls.dns.add_txt("unsigned.example", "v=spf1 ip4:198.51.100.10 -all")
        cls.own_mx = cls.receiving_host("mx.direct.example", "127.0.0.6", ["direct.example"],
                                        certificates.leaf(None, ["mx.direct.example"]))
        cls.relay_settings = {"route": [
            cls.route("smarthost", ["*"], ["smtp.smart.example:587"], "relay"),
            cls.route("one", ["special.example"], ["fake.smart.example:587"], "one"),
            cls.route("two", ["*.special.example"], ["fake.smart.example:587"], "two"),
            {**cls.route("shop", ["*"], ["fake.smart.example:587"], "shop"), "tenant": "shop"},
            cls.route("mend", ["mended.example"], ["fake.smart.example:587"], "mend", WRONG),
            cls.route("untrusted", ["untrusted.example"], ["stranger.smart.example:587"], "stranger"),
            cls.route("fallback", ["fallback.example"],
                      ["dead.smart.example:587", "stranger.smart.example:587", "fake.smart.example:587"], "one"),
            {**cls.route("pinned", ["pinned.example"], ["[127.0.0.5]:2525"]), "pins": [pin_of(pinned)]},
            {**cls.route("wrong-pin", ["wrong-pin.example"], ["[127.0.0.5]:2525"]), "pins": [pin_of(certificates.leaf(None, ["x.example"]))]},
            {**cls.route("implicit", ["implicit.example"], ["implicit.smart.example"], "implicit"), "tls": "implicit"},
            {**cls.route("loop", ["loop.example"], ["[127.0.0.1]:2525"]), "pins": [pin_of(pinned)]},
            {**cls.route("seen", ["seen.example"], ["fake.smart.example:587"], "one"), "egress_addresses": ["198.51.100.10"]},
            {"name": "direct", "domains": ["direct.example"], "direct": True},
        ]}

    @classmethod
    def add_sink(cls, name, address, port, identity, behaviour=None):
        host = sink.Sink(cls.folder, address, port, identity, behaviour or sink.Behaviour(login=login))
        cls.addClassCleanup(host.close)
        cls.dns.add(name, "A", address)
        return host

    @classmethod
    def route(cls, name, domains, next_hops, user=None, password=None):
        route = {"name": name, "domains": domains, "next_hops": next_hops}
        if user:
            path = cls.folder / f"{name}.password"
            path.write_text((password or PASSWORDS[user]) + "\n")
            path.chmod(0o600)
            route |= {"user": user, "password_file": path}
        return route

    @classmethod
    def make_relay(cls):
        relay = super().make_relay()
        relay.add_account("shop", scenario.PASSWORD)
        return relay

    def tearDown(self):
        self.drop_queue()

    def received(self, host, recipient):
        """The message for a recipient at a sink, waited for."""
        def found():
            return next((message for message in host.received if recipient in message.recipients), None)
        return wait_until(found, 30, f"{recipient} arrives")

    def submit_as_shop(self, recipient):
        with smtplib.SMTP("127.0.0.1", 2525, local_hostname="client.example", timeout=60) as client:
            client.login("shop", scenario.PASSWORD)
            client.sendmail(scenario.SENDER, [recipient], stock_clients.message(scenario.SENDER, recipient).encode())

    def test_all_mail_goes_by_the_smarthost_after_a_login_by_the_best_mechanism(self):
        for recipient in ("a@anywhere.example", "b@elsewhere.example"):
            self.submit_ok(recipient)
            self.assertIn(b"dkim-signature:", self.provider.wait_for_message(recipient).octets.lower())
        self.assertEqual(set(self.provider.logins()), {("SCRAM-SHA-256", "relay")})
        event = next(event for event in self.relay.events("message_delivered") if event["to"] == "a@anywhere.example")
        self.assertEqual((event["route"], event["mx"], event["tls_level"]), ("smarthost", "smtp.smart.example", "verified"))

    def test_the_most_exact_route_wins_and_direct_mail_goes_to_its_mx(self):
        self.submit_ok("a@special.example")
        self.assertEqual(self.received(self.fake, "a@special.example").user, "one")
        self.submit_ok("a@deep.special.example")
        self.assertEqual(self.received(self.fake, "a@deep.special.example").user, "two")
        self.submit_ok("a@direct.example")
        self.own_mx.wait_for_message("a@direct.example")

    def test_a_tenant_has_its_own_smarthost(self):
        self.submit_as_shop("tenant@anywhere.example")
        self.assertEqual(self.received(self.fake, "tenant@anywhere.example").user, "shop")
        self.submit_as_shop("tenant@special.example")
        self.assertEqual(self.received(self.fake, "tenant@special.example").user, "one")

    def test_two_logins_at_one_host_never_share_a_connection(self):
        recipients = [f"share{i}@{domain}" for i in range(6) for domain in ("special.example", "deep.special.example")]
        for recipient in recipients:
            self.submit_ok(recipient)
        users = {}
        for recipient in recipients:
            message = self.received(self.fake, recipient)
            self.assertEqual(message.user, "two" if recipient.endswith("@deep.special.example") else "one")
            users.setdefault(message.session, set()).add(message.user)
        self.assertTrue(all(len(names) == 1 for names in users.values()), users)

    def test_a_wrong_password_defers_without_knocking_on_and_its_mending_is_heard(self):
        for number in range(3):
            self.submit_ok(f"m{number}@mended.example")
        self.assert_deferred("m0@mended.example", "it refused the login of \"mend\" by PLAIN", "535 5.7.8")
        event = next(event for event in self.relay.events("message_deferred") if event["to"] == "m0@mended.example")
        self.assertEqual((event["status"], event["class"]), ("4.7.8", "infrastructure"))
        refusals = self.relay.events("login_refused")
        self.assertEqual({event["route"] for event in refusals}, {"mend"})
        self.assertIn("mend", {event["route"] for event in self.relay.events("destination_paused")})
        path = self.folder / "mend.password"
        path.write_text(PASSWORDS["mend"] + "\n")
        self.relay.reload()
        wait_until(lambda: self.relay.events("passwords_loaded"), 30, "the passwords are read anew")
        self.relay.ask("queue", "retry", "--domain", "mended.example")
        for number in range(3):
            self.assertEqual(self.received(self.fake, f"m{number}@mended.example").user, "mend")

    def test_a_host_that_does_not_prove_its_name_hears_no_password(self):
        self.submit_ok("u@untrusted.example")
        self.assert_deferred("u@untrusted.example", "certificate")
        self.assertEqual(self.stranger.logins, [])
        self.assertEqual(self.stranger.received, [])
        self.assertLessEqual(set(self.stranger.clear_text_commands), {"EHLO", "STARTTLS"})

    def test_the_next_hop_that_works_takes_over(self):
        self.submit_ok("f@fallback.example")
        self.assertEqual(self.received(self.fake, "f@fallback.example").user, "one")
        self.assertEqual(self.stranger.logins, [])

    def test_a_pinned_key_is_enough_and_another_key_is_not(self):
        self.submit_ok("p@pinned.example")
        self.assertTrue(self.received(self.pinned, "p@pinned.example").tls)
        self.submit_ok("p@wrong-pin.example")
        self.assert_deferred("p@wrong-pin.example", "none of 1 pinned keys is that of the certificate")

    def test_tls_may_begin_with_the_first_octet(self):
        self.submit_ok("i@implicit.example")
        self.assertEqual(self.received(self.implicit, "i@implicit.example").user, "implicit")
        self.assertEqual(self.implicit.clear_text_commands, [])

    def test_spf_is_foreseen_for_the_addresses_of_the_smarthost_and_unknown_without_them(self):
        self.submit_ok("s@seen.example", sender="bob@unsigned.example")
        self.received(self.fake, "s@seen.example")
        code, reply = self.submit("s@anywhere.example", sender="bob@unsigned.example")
        self.assertEqual(code, 550, reply)
        self.assertIn("no egress address is configured for SPF", reply)

    def test_a_route_back_to_the_relay_is_not_taken(self):
        self.submit_ok("l@loop.example")
        self.assert_deferred("l@loop.example", "which is this relay itself")

    def test_explain_and_queue_show_tell_the_route(self):
        text = self.relay.ask("explain", "x@special.example")
        self.assertIn("Route: one, in place of the MX records of the domain", text)
        self.assertIn("Route 'one' demands a certificate of a public authority that is valid for fake.smart.example", text)
        self.assertIn("Port: 587", text)
        self.assertNotIn("special.example MX", text)
        self.assertIn("Route: shop", self.relay.ask("explain", "x@anywhere.example", "--tenant", "shop"))
        self.assertNotIn("Route", self.relay.ask("explain", "x@direct.example"))

    def test_no_password_is_in_the_log_or_the_state(self):
        self.submit_ok("secret@anywhere.example")
        self.provider.wait_for_message("secret@anywhere.example")
        self.relay.wait_until_delivered()
        texts = [self.relay.log().encode()]
        texts += [path.read_bytes() for path in pathlib.Path(self.relay.settings["state_directory"]).rglob("*") if path.is_file()]
        for password in [*PASSWORDS.values(), WRONG]:
            for text in texts:
                self.assertNotIn(password.encode(), text)


if __name__ == "__main__":
    scenario.main([lambda: debian_unpack.unpack("sasl2-bin")])
