"""Mail that receivers would refuse is kept where preflight is in mode hold, and leaves signed once its records are repaired."""

import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import dkim

import certificates
import scenario

LARGE = "All work and no play.\r\n" * 10_000  # more than is kept in the row


class Hold(scenario.Scenario):
    relay_settings = {
        "egress.addresses": ["192.0.2.25"],
        "preflight.mode": "hold",
        "preflight.rule": [{"domain": "strict.example", "mode": "enforce"}, {"tenant": scenario.USER, "domain": "loose.example",
                                                                            "mode": "warn"}],
    }

    @classmethod
    def build_world(cls):
        identity = certificates.leaf(None, ["mx.recv.example"])
        cls.host = cls.receiving_host("mx.recv.example", "127.0.0.2", ["recv.example"], identity)
        cls.dns.add("_25._tcp.mx.recv.example", "TLSA", identity.tlsa())
        for domain in ("late", "large", "strict", "loose", "restarted", "seen"):
            cls.dns.add_txt(f"_dmarc.{domain}.example", "v=DMARC1; p=reject")

    def make_unpublished_keys(self, domain):
        def loaded_domains():
            loaded = self.relay.events("keys_loaded")
            return loaded[-1]["signing_domains"] if loaded else 1

        known = loaded_domains()
        records = self.relay.create_keys(domain, "s1", publish=False)
        self.relay.reload()
        scenario.processes.wait_until(lambda: loaded_domains() > known, 10, "keys")
        return records

    def publish(self, records):
        for name, text in records.items():
            self.dns.replace_txt(name, text)
        self.dns.apply()

    def assert_held(self, recipient, *words):
        entry = self.relay.queue_entry(recipient)
        self.assertIsNotNone(entry, self.relay.log()[-3000:])
        self.assertEqual(entry["state"], "held")
        for word in words:
            self.assertIn(word, entry["reason"])
        return entry

    def assert_signed(self, recipient):
        try:
            message = self.host.wait_for_message(recipient)
        except AssertionError as error:
            raise AssertionError(f"{error}; queue: {self.relay.queue()}; log:\n{self.relay.log()[-3000:]}") from None
        verifier = dkim.DKIM(message.from_first_signature())
        self.assertTrue(verifier.verify(dnsfunc=self.dns.lookup_txt))
        return message

    def test_a_message_without_published_key_is_kept_and_leaves_signed_after_the_record_is_there(self):
        records = self.make_unpublished_keys("late.example")
        queue_id = self.submit_ok("late@recv.example", sender="ann@late.example")
        self.assert_held("late@recv.example", "late.example", "s1._domainkey")
        self.relay.ask("queue", "retry", "--all")
        self.assert_held("late@recv.example")
        self.assertEqual(self.host.messages("late@recv.example"), [])
        self.publish(records)
        self.relay.ask("queue", "release", queue_id, "--reason", "record published")
        self.assert_signed("late@recv.example")
        self.assertEqual(self.relay.events("message_released")[-1]["reason"], "record published")

    def test_a_body_in_the_spool_is_signed_at_release_too(self):
        records = self.make_unpublished_keys("large.example")
        text = scenario.stock_clients.message("ann@large.example", "large@recv.example", subject="large", body=LARGE)
        queue_id = self.submit_ok("large@recv.example", sender="ann@large.example", text=text)
        self.assert_held("large@recv.example")
        self.publish(records)
        self.relay.ask("queue", "release", queue_id)
        self.assert_signed("large@recv.example")

    def test_what_is_held_stays_held_over_a_restart(self):
        queue_id = self.submit_ok("restarted@recv.example", sender="ann@restarted.example")
        self.relay.stop()
        self.relay.start()
        self.assert_held("restarted@recv.example", "restarted.example")
        self.relay.ask("queue", "release", queue_id)
        self.host.wait_for_message("restarted@recv.example")
        scenario.processes.wait_until(lambda: self.relay.queue_entry("restarted@recv.example") is None, 30, "its end")

    def test_a_repaired_record_is_seen_when_its_ttl_is_over(self):
        records = self.make_unpublished_keys("seen.example")
        self.submit_ok("before@recv.example", sender="ann@seen.example")
        self.assert_held("before@recv.example")
        self.publish(records)
        time.sleep(6)  # the relay asks again after five seconds at the earliest
        self.submit_ok("after@recv.example", sender="ann@seen.example")
        self.assert_signed("after@recv.example")
        self.assert_held("before@recv.example")  # that is for the operator

    def test_an_operator_holds_and_releases_a_message_that_waits(self):
        self.dns.add("away.example", "MX", "10 mx.away.example.")
        self.dns.add("mx.away.example", "A", "127.0.0.9")  # nobody listens there
        self.dns.apply()
        queue_id = self.submit_ok("somebody@away.example")
        self.assert_deferred("somebody@away.example")
        self.relay.ask("queue", "hold", queue_id, "--reason", "the customer asks for it")
        entry = self.assert_held("somebody@away.example", "the customer asks for it")
        self.assertIsNone(entry["next_attempt"])
        attempts = len(self.relay.events("message_deferred"))
        self.relay.ask("queue", "release", queue_id)
        scenario.processes.wait_until(lambda: len(self.relay.events("message_deferred")) > attempts, 30, "another attempt")
        self.relay.ask("queue", "drop", queue_id)

    def test_the_nearest_rule_decides(self):
        code, reply = self.submit("strict@recv.example", sender="ann@news.strict.example")
        self.assertEqual(code, 550, reply)
        self.assertIn("strict.example", reply)
        self.submit_ok("loose@recv.example", sender="ann@loose.example")
        self.host.wait_for_message("loose@recv.example")
        self.assertIn("loose.example", self.relay.events("preflight_warning")[-1]["reason"])

    # The last one by its name, since lookups that failed are remembered for a while.
    def test_when_dns_does_not_answer_nothing_is_held(self):
        self.dns.stop()
        try:
            code, reply = self.submit("somebody@recv.example", sender="ann@silent.example")
            self.assertEqual(code // 100, 4, reply)
        finally:
            self.dns.start()
        self.assertIsNone(self.relay.queue_entry("somebody@recv.example"))


if __name__ == "__main__":
    scenario.main()
