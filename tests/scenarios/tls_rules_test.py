"""What the operator asks for besides what domains publish: rules, exceptions, and what is remembered."""

import datetime
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import certificates
import scenario
from processes import wait_until

_TODAY = datetime.datetime.now(datetime.timezone.utc).date()


class TlsRules(scenario.Scenario):
    relay_settings = {
        "tls.on_loss": "defer",
        "tls.rule": [{"domain": "careful.example", "minimum": "verified"}],
        "tls.exception": [
            {"domain": "excused.example", "reason": "their key roll failed", "expires": _TODAY + datetime.timedelta(days=2)},
            {"domain": "expired.example", "reason": "long ago", "expires": _TODAY},
        ],
    }

    @classmethod
    def build_world(cls):
        dns = cls.dns
        selfsigned = certificates.leaf(None, ["mx.host.example"])
        cls.host = cls.receiving_host("mx.host.example", "127.0.0.2", ["careful.example", "careless.example", "excused.example",
                                                                       "expired.example", "fickle.example"], selfsigned)
        for name in ("excused.example", "expired.example", "fickle.example"):
            dns.replace(name, "MX", f"10 mx.{name}.")
            dns.add(f"mx.{name}", "A", "127.0.0.2")
        for name in ("excused.example", "expired.example"):
            dns.add(f"_25._tcp.mx.{name}", "TLSA", certificates.wrong_tlsa())
        cls.right_tlsa = selfsigned.tlsa(3, 1, 1)
        dns.add("_25._tcp.mx.fickle.example", "TLSA", cls.right_tlsa)

    def tearDown(self):
        self.drop_queue()

    def test_a_rule_asks_for_a_certificate_where_the_domain_publishes_nothing(self):
        self.submit_ok("a@careless.example")
        self.host.wait_for_message("a@careless.example")
        self.submit_ok("a@careful.example")
        self.assert_deferred("a@careful.example", "certificate")
        self.assertEqual(self.host.messages("a@careful.example"), [])

    def test_an_exception_lets_mail_go_and_is_logged_with_its_reason_until_it_expires(self):
        self.submit_ok("b@excused.example")
        self.assertIn(b"TLSv1", self.host.wait_for_message("b@excused.example").octets)
        events = self.relay.events("tls_exception_used")
        self.assertEqual({(event["domain"], event["reason"]) for event in events}, {("excused.example", "their key roll failed")})
        self.submit_ok("b@expired.example")
        self.assert_deferred("b@expired.example", "TLSA")
        self.assertEqual(self.host.messages("b@expired.example"), [])

    def test_mail_waits_when_the_protection_of_a_domain_vanishes_until_the_operator_says_that_it_is_meant_so(self):
        self.submit_ok("c@fickle.example")
        self.host.wait_for_message("c@fickle.example")
        self.relay.wait_until_delivered()
        wait_until(lambda: [line["method"] for line in self.relay.ask_json("tls", "list") if line["domain"] == "fickle.example"]
                   == ["dane"], 20, "the proof is remembered")
        self.dns.remove("_25._tcp.mx.fickle.example", "TLSA")
        self.dns.apply()
        self.relay.stop()
        self.relay.start()  # the plan of the first message may still hold, and what is remembered outlives the process
        self.submit_ok("d@fickle.example")
        self.assert_deferred("d@fickle.example", "were authenticated by DANE until")
        self.assertIn("fickle.example", {event["domain"] for event in self.relay.events("tls_protection_lost")})
        self.assertIn("were authenticated by DANE", self.relay.command("explain", "x@fickle.example").stdout)
        self.relay.ask("tls", "forget", "fickle.example")
        self.relay.ask("queue", "retry", "--domain", "fickle.example")
        self.host.wait_for_message("d@fickle.example")


if __name__ == "__main__":
    scenario.main()
