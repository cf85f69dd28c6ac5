"""A message that receivers would refuse is refused at the final dot, with a sentence that names domain, record and remedy."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import certificates
import scenario

EGRESS = "192.0.2.25"


class Preflight(scenario.Scenario):
    relay_settings = {"egress.addresses": [EGRESS]}

    @classmethod
    def build_world(cls):
        identity = certificates.leaf(None, ["mx.recv.example"])
        cls.host = cls.receiving_host("mx.recv.example", "127.0.0.2", ["recv.example"], identity)
        cls.dns.add("_25._tcp.mx.recv.example", "TLSA", identity.tlsa())
        for domain, policy in (("keyless", "reject"), ("unpublished", "reject"), ("otherkey", "quarantine"), ("spf", "reject"),
                               ("watching", "none")):
            cls.dns.add_txt(f"_dmarc.{domain}.example", f"v=DMARC1; p={policy}")
        cls.dns.add_txt("spf.example", f"v=spf1 ip4:{EGRESS} -all")

    def refused(self, sender, *words):
        code, reply = self.submit("somebody@recv.example", sender=sender)
        self.assertIn(code // 100, (5,), reply)
        for word in words:
            self.assertIn(word, reply)
        return reply

    def test_a_domain_whose_key_is_published_is_accepted(self):
        self.submit_ok("good@recv.example")
        self.host.wait_for_message("good@recv.example")

    def test_a_domain_that_asks_for_rejection_and_has_neither_key_nor_spf_is_refused(self):
        self.refused("ann@keyless.example", "keyless.example", "_dmarc.keyless.example")

    def test_a_key_whose_record_is_missing_is_refused_with_the_name_to_publish_it_at(self):
        self.relay.create_keys("unpublished.example", "s1", publish=False)
        self.relay.reload()
        scenario.processes.wait_until(lambda: "unpublished.example" in self.submit(
            "somebody@recv.example", sender="ann@unpublished.example")[1], 10, "refusal")
        self.refused("ann@unpublished.example", "s1", "_domainkey.unpublished.example")

    def test_a_published_record_of_another_key_is_refused(self):
        records = self.relay.create_keys("otherkey.example", "s1", publish=False)
        for name in records:
            self.dns.add_txt(name, "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=")
        self.dns.apply()
        self.relay.reload()
        scenario.processes.wait_until(lambda: self.submit("somebody@recv.example", sender="ann@otherkey.example")[0] // 100 == 5,
                                      10, "refusal")
        self.refused("ann@otherkey.example", "otherkey.example")

    def test_spf_that_passes_for_every_egress_address_is_enough(self):
        self.submit_ok("spf@recv.example", sender="ann@spf.example")
        self.host.wait_for_message("spf@recv.example")

    def test_a_domain_that_asks_for_nothing_is_accepted(self):
        self.submit_ok("watching@recv.example", sender="ann@watching.example")
        self.host.wait_for_message("watching@recv.example")

    def test_the_author_counts_and_not_the_envelope(self):
        code, reply = self.submit("somebody@recv.example", header_from="ann@keyless.example")
        self.assertEqual(code // 100, 5, reply)
        self.assertIn("keyless.example", reply)

    def test_results_of_checks_under_the_name_of_the_relay_are_refused_and_others_pass(self):
        for value in ("relay.sender.example; dkim=pass", "(x)\r\n RELAY.Sender.example 1; spf=pass", '"relay.sender.example"; none'):
            text = (f"Authentication-Results: {value}\r\n" + scenario.stock_clients.message(
                scenario.SENDER, "somebody@recv.example")).encode()
            code, reply = self.submit("somebody@recv.example", text=text)
            self.assertEqual(code, 550, reply)
            self.assertIn("Authentication-Results", reply)
        text = ("Authentication-Results: mx.elsewhere.example; dkim=pass\r\n" + scenario.stock_clients.message(
            scenario.SENDER, "elsewhere@recv.example")).encode()
        self.submit_ok("elsewhere@recv.example", text=text)
        self.host.wait_for_message("elsewhere@recv.example")

    def test_mail_is_not_refused_for_good_when_dns_does_not_answer(self):
        self.dns.stop()
        try:
            code, reply = self.submit("somebody@recv.example", sender="ann@unknown.example")
            self.assertIn(code // 100, (2, 4), reply)
        finally:
            self.dns.start()


if __name__ == "__main__":
    scenario.main()
