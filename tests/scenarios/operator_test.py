"""What operators see of a running queue, what they do to it, and what is kept of that."""

import os
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import dkim

import certificates
import processes
import relay
import scenario
import sink


class Operator(scenario.Scenario):
    relay_settings = {"queue.retry_delays": ["3600s"], "delivery.failed_cohorts": 1, "delivery.initial_concurrency": 1}

    @classmethod
    def build_world(cls):
        identity = certificates.leaf(None, ["mx.recv.example"])
        cls.host = sink.Sink(cls.folder, "127.0.0.2", 25, identity)
        cls.addClassCleanup(cls.host.close)
        cls.dns.add("mx.recv.example", "A", "127.0.0.2")
        cls.dns.add("_25._tcp.mx.recv.example", "TLSA", identity.tlsa())
        for domain in ("recv.example", "sender.example"):
            cls.dns.add(domain, "MX", "10 mx.recv.example.")
        cls.dns.add("mx.away.example", "A", "127.0.0.9")  # nobody listens there
        for domain in ("away.example", "other.example", "kept.example", "stays.example"):
            cls.dns.add(domain, "MX", "10 mx.away.example.")

    @classmethod
    def make_relay(cls):
        made = super().make_relay()
        made.create_keys("relay.sender.example", "s1")
        return made

    def tearDown(self):
        self.drop_queue()

    def reports(self):
        return [message.octets for message in self.host.received if b"multipart/report" in message.octets]

    def test_a_message_is_returned_to_its_sender_with_the_reason_and_signed(self):
        before = len(self.reports())
        queue_id = self.submit_ok("returned@away.example")
        self.assert_deferred("returned@away.example")
        rehearsed = self.relay.ask("queue", "bounce", queue_id, "--reason", "ask the billing team", "--dry-run")
        self.assertIn("recipients returned: 1, reports: 1", rehearsed)
        self.assertIsNotNone(self.relay.queue_entry("returned@away.example"))
        self.relay.ask("queue", "bounce", "--domain", "away.example", "--reason", "ask the billing team")
        self.relay.wait_until_delivered()
        processes.wait_until(lambda: len(self.reports()) > before, 30, "a report")
        report = self.reports()[-1]
        text = report.decode()
        self.assertIn("an operator returned it: ask the billing team", re.sub(r"\s+", " ", text))
        self.assertIn("Status: 5.3.0", text)
        self.assertIn("returned@away.example", text)
        self.assertTrue(dkim.DKIM(report[report.index(b"DKIM-Signature:"):]).verify(dnsfunc=self.dns.lookup_txt))
        event = [event for event in self.relay.events("message_bounced") if event["id"] == queue_id][-1]
        self.assertEqual(event["reason"], "an operator returned it: ask the billing team")

    def test_what_operators_do_is_kept_with_who_and_why_over_a_restart(self):
        queue_id = self.submit_ok("kept@kept.example")
        self.assert_deferred("kept@kept.example")
        self.relay.ask("queue", "hold", queue_id, "--reason", "the customer asks for it")
        self.relay.ask("queue", "release", queue_id)
        self.relay.stop()
        self.relay.ask("queue", "retry", "--account", scenario.USER, "--reason", "their host is up")
        self.relay.start()
        newest = self.relay.ask_json("audit", "list", "--limit", "3")
        self.assertEqual([entry["command"] for entry in newest], ["queue retry", "queue release", "queue hold"])
        self.assertEqual(newest[0]["filter"], {"account": scenario.USER})
        self.assertEqual(newest[0]["reason"], "their host is up")
        self.assertEqual((newest[2]["messages"], newest[2]["recipients"]), (1, 1))
        self.assertEqual(newest[2]["uid"], os.getuid())
        self.assertTrue(newest[2]["operator"])
        event = self.relay.events("operator_command")[-1]
        self.assertEqual((event["command"], event["uid"]), ("queue release", os.getuid()))
        self.assertIn("the customer asks for it", self.relay.ask("audit", "list"))

    def test_top_and_the_queue_tell_what_a_domain_waits_for(self):
        self.submit_ok("one@other.example")
        entry = self.assert_deferred("one@other.example")
        self.assertIn("paused_until", entry["waits_for"])
        self.assertIn("its domain is paused until", self.relay.ask("queue", "list"))
        self.assertIn("its domain is paused until", self.relay.ask("queue", "show", entry["id"]))
        overview = self.relay.ask_json("top", "--once")[0]
        load = next(load for load in overview["destinations"] if load["domain"] == "other.example")
        self.assertEqual((load["recipients"], load["limit"]), (1, 0))
        self.assertIsNotNone(load["paused_until"])
        self.assertIn("127.0.0.9", load["reason"])
        self.assertEqual([load["tenant"] for load in overview["tenants"]], [scenario.USER])
        text = self.relay.ask("top")  # no terminal, so once
        self.assertIn("other.example  paused until", text)
        self.assertNotIn("\x1b", text)
        self.relay.ask("queue", "hold", "--all", "--reason", "look")
        self.assertEqual(self.relay.ask_json("top")[0]["held"], 1)

    def test_on_a_terminal_top_goes_on_until_the_relay_does_not(self):
        command = [str(relay.build_folder() / "waxwing"), "--config", str(self.relay.config_file), "top"]
        master, slave = os.openpty()
        with subprocess.Popen(command, stdout=slave, stderr=subprocess.PIPE, env=self.relay.environment()) as watching:
            os.close(slave)
            shown = b""
            try:
                while shown.count(b"\x1b[H\x1b[2J") < 3:
                    shown += os.read(master, 65536)
            finally:
                watching.terminate()
                watching.communicate(timeout=30)
                os.close(master)
        self.assertIn(b"waiting", shown)

    def test_without_a_relay_nothing_is_returned_and_nothing_to_be_seen(self):
        queue_id = self.submit_ok("stays@stays.example")
        self.assert_deferred("stays@stays.example")
        self.relay.stop()
        try:
            for words in (["queue", "bounce", queue_id, "--reason", "x"], ["top", "--once"]):
                refused = self.relay.command(*words)
                self.assertNotEqual(refused.returncode, 0)
                self.assertIn("no waxwingd runs", refused.stderr)
            self.assertIsNotNone(self.relay.queue_entry("stays@stays.example"))
        finally:
            self.relay.start()


if __name__ == "__main__":
    scenario.main()
