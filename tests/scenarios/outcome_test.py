"""Every recipient gets one outcome, and the sender hears of it."""

import pathlib
import smtplib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import certificates
import dkim
import scenario
import sink
import stock_clients

REFUSALS = ("check_recipient_access inline:{ {gone@recv.example = 550 5.1.1 No such mailbox here}, "
            "{later@recv.example = 450 4.2.1 Come back later} }, reject_unauth_destination")


class Outcome(scenario.Scenario):
    @classmethod
    def build_world(cls):
        identity = certificates.leaf(None, ["mx.recv.example"])
        cls.host = cls.receiving_host("mx.recv.example", "127.0.0.2", ["recv.example"], identity,
                                      {"smtpd_recipient_restrictions": REFUSALS})
        cls.home = cls.receiving_host("mx.sender.example", "127.0.0.3", ["sender.example"], identity)
        cls.odd = sink.Sink(cls.folder, "127.0.0.4", 25, identity)
        cls.addClassCleanup(cls.odd.close)
        cls.refusing = sink.Sink(cls.folder, "127.0.0.5", 25, identity, sink.Behaviour(starttls_reply="554 5.7.0 No TLS today"))
        cls.addClassCleanup(cls.refusing.close)
        cls.dns.add("mx.refusing.example", "A", "127.0.0.5")
        cls.dns.add("refusing.example", "MX", "10 mx.refusing.example.")
        cls.dns.add("mx.odd.example", "A", "127.0.0.4")
        cls.dns.add("odd.example", "MX", "10 mx.odd.example.")
        cls.dns.add("nullmx.example", "MX", "0 .")
        cls.dns.add("two.example", "MX", "10 mx.dead.example.")
        cls.dns.add("two.example", "MX", "20 mx.recv.example.")
        cls.dns.add("mx.dead.example", "A", "127.0.0.99")
        cls.dns.add("implicit.example", "A", "127.0.0.4")
        cls.dns.add("down.example", "MX", "10 mx.down.example.")
        cls.dns.add("mx.down.example", "A", "127.0.0.98")

    def setUp(self):
        self.odd.behaviour = sink.Behaviour()

    def tearDown(self):
        self.drop_queue()

    def notification(self, recipient):
        """The notification about one recipient that reached the sender's mailbox."""
        def find():
            for message in self.home.messages(scenario.SENDER):
                if recipient in message.octets.decode("utf-8", "replace"):
                    return message
            return None
        return scenario.processes.wait_until(find, 30, f"notification about {recipient}")

    def test_a_permanent_refusal_comes_back_as_a_delivery_status_notification(self):
        self.submit_ok("gone@recv.example")
        parsed = self.notification("gone@recv.example").parsed()
        self.assertEqual(parsed.get_content_type(), "multipart/report")
        self.assertEqual(parsed.get_param("report-type"), "delivery-status")
        status = [part for part in parsed.walk() if part.get_content_type() == "message/delivery-status"]
        self.assertEqual(len(status), 1)
        fields = status[0].get_payload()[1]
        self.assertEqual(fields["Action"], "failed")
        self.assertEqual(fields["Status"], "5.1.1")
        self.assertIn("gone@recv.example", fields["Final-Recipient"])
        self.assertIn("No such mailbox here", fields["Diagnostic-Code"])
        self.assertIn("<>", parsed["Return-Path"] or "<>")

    def test_a_notification_is_sent_with_the_null_reverse_path(self):
        self.submit_ok("gone@recv.example")
        octets = self.notification("gone@recv.example").octets
        self.assertIn(b"Return-Path: <>", octets)

    def test_a_temporary_refusal_waits_and_says_why(self):
        self.submit_ok("later@recv.example")
        self.assert_deferred("later@recv.example", "Come back later")

    def test_a_domain_with_a_null_mx_is_refused_or_returned_at_once(self):
        code, reply = self.submit("any@nullmx.example")
        if code == 250:
            self.assertIn(b"5.1.10", self.notification("any@nullmx.example").octets)
        else:
            self.assertIn("5.1.10", reply)

    def test_a_domain_that_does_not_exist_is_returned(self):
        self.submit_ok("any@nowhere.example")
        self.assertIn(b"nowhere.example", self.notification("any@nowhere.example").octets)

    def test_the_next_mx_is_tried_when_the_first_is_dead(self):
        self.host.stop()
        self.host._settings["virtual_mailbox_domains"] = "recv.example, two.example"
        self.host.use_identity(self.host.identity)
        self.host.start()
        self.submit_ok("any@two.example")
        self.host.wait_for_message("any@two.example")

    def test_a_domain_without_mx_is_its_own_host(self):
        self.submit_ok("any@implicit.example")
        scenario.processes.wait_until(lambda: any("any@implicit.example" in message.recipients for message in self.odd.received),
                                      30, "delivery")

    def test_a_reply_that_means_nothing_is_never_taken_for_success(self):
        for number, reply in enumerate(("221 2.0.0 Bye", "354 go on", "250-half\r\n451 4.0.0 other half", "hello", "999 what")):
            with self.subTest(reply=reply):
                self.odd.behaviour = sink.Behaviour(end_of_data=reply)
                recipient = f"odd{number}@odd.example"
                self.submit_ok(recipient)
                self.relay.wait_for_state(recipient, "deferred", 40)

    def test_a_connection_cut_before_the_reply_is_tried_again(self):
        replies = iter([None])
        self.odd.behaviour = sink.Behaviour(end_of_data=lambda octets: next(replies, "250 2.0.0 Ok"))
        self.submit_ok("cut@odd.example")
        self.relay.wait_until_delivered(40)
        self.assertEqual(sum("cut@odd.example" in message.recipients for message in self.odd.received), 1)

    def test_a_domain_whose_host_is_down_is_paused_instead_of_tried_for_each_message(self):
        recipients = [f"user{number}@down.example" for number in range(15)]
        for recipient in recipients:
            self.submit_ok(recipient)

        def pauses():
            return [event for event in self.relay.events("destination_paused") if event["domain"] == "down.example"]

        scenario.processes.wait_until(lambda: len(pauses()) >= 3, 40, "the long pause that follows the short ones")
        attempts = [event for event in self.relay.events("message_deferred") if event["to"] in recipients]
        self.assertLess(len(attempts), len(recipients), "each message would have been tried three times by now")
        host = sink.Sink(self.folder, "127.0.0.98", 25, certificates.leaf(None, ["mx.down.example"]))
        self.addCleanup(host.close)
        self.relay.ask("queue", "retry", "--domain", "down.example")
        self.relay.wait_until_delivered()
        self.assertEqual(sorted(recipient for message in host.received for recipient in message.recipients), sorted(recipients))

    def test_starttls_that_is_refused_defers_and_sends_nothing_in_clear_text(self):
        self.submit_ok("any@refusing.example")
        self.assert_deferred("any@refusing.example", "TLS")
        self.assertIn("STARTTLS", self.refusing.clear_text_commands)
        self.assertNotIn("MAIL", self.refusing.clear_text_commands)

    def test_only_the_refused_recipient_is_returned(self):
        self.odd.behaviour = sink.Behaviour(rcpt=lambda address: "550 5.1.1 Unknown" if address.startswith("bad") else "250 2.1.5 Ok")
        text = scenario.stock_clients.message(scenario.SENDER, "list@odd.example")
        with scenario.smtplib.SMTP("127.0.0.1", 2525, local_hostname="client.example") as client:
            client.login(scenario.USER, scenario.PASSWORD)
            client.sendmail(scenario.SENDER, ["good@odd.example", "bad@odd.example"], text)
        octets = self.notification("bad@odd.example").octets
        self.assertNotIn(b"good@odd.example", octets)
        self.assertEqual(sum("good@odd.example" in message.recipients for message in self.odd.received), 1)

    def test_notifications_are_signed(self):
        self.submit_ok("gone@recv.example")
        message = self.notification("gone@recv.example")
        author = message.parsed()["From"]
        if "sender.example" not in author or "relay.sender.example" in author and b"DKIM-Signature" not in message.octets:
            self.skipTest(f"the notification is from {author}, for which the relay has no key")
        self.assertTrue(dkim.DKIM(message.from_first_signature()).verify(dnsfunc=self.dns.lookup_txt))

    def test_what_waits_survives_a_restart_and_is_tried_again(self):
        self.odd.behaviour = sink.Behaviour(rcpt="451 4.3.0 Not now")
        self.submit_ok("restart@odd.example")
        before = self.relay.wait_for_state("restart@odd.example", "deferred")
        self.relay.stop()
        self.relay.start()
        after = self.relay.queue_entry("restart@odd.example")
        self.assertEqual(before["id"], after["id"])
        self.odd.behaviour = sink.Behaviour()
        self.relay.ask("queue", "retry", after["id"])
        self.relay.wait_until_delivered()
        self.assertEqual(sum("restart@odd.example" in message.recipients for message in self.odd.received), 1)

    def submit_asking(self, recipient, mail_options, rcpt_options):
        """Submits one message that says what its sender wants to be told (RFC 3461)."""
        with smtplib.SMTP("127.0.0.1", 2525, local_hostname="client.example", timeout=60) as client:
            client.login(scenario.USER, scenario.PASSWORD)
            client.sendmail(scenario.SENDER, [recipient], stock_clients.message(scenario.SENDER, recipient), mail_options, rcpt_options)

    def test_success_is_reported_where_the_next_host_does_not(self):
        self.submit_asking("told@odd.example", ["ENVID=order+2B17"], ["NOTIFY=SUCCESS", "ORCPT=rfc822;list@sender.example"])
        parsed = self.notification("told@odd.example").parsed()
        status = next(part for part in parsed.walk() if part.get_content_type() == "message/delivery-status").get_payload()
        self.assertEqual(status[0]["Original-Envelope-Id"], "order+17")
        self.assertEqual(status[1]["Action"], "relayed")
        self.assertEqual(status[1]["Original-Recipient"], "rfc822;list@sender.example")

    def test_nobody_who_does_not_want_to_is_told_of_a_failure(self):
        self.submit_asking("untold@missing.example", [], ["NOTIFY=NEVER"])
        self.relay.wait_until_delivered()
        self.assertEqual([event["to"] for event in self.relay.events("message_bounced")].count("untold@missing.example"), 1)
        self.assertEqual([message for message in self.home.messages(scenario.SENDER) if b"untold@missing.example" in message.octets], [])

    def test_the_queue_commands_show_and_drop_what_waits(self):
        self.odd.behaviour = sink.Behaviour(rcpt="451 4.3.0 Not now")
        self.submit_ok("drop@odd.example")
        entry = self.relay.wait_for_state("drop@odd.example", "deferred")
        self.assertEqual(set(entry) & {"id", "message_id", "sender", "recipient", "state", "attempts", "next_attempt", "reason"},
                         {"id", "message_id", "sender", "recipient", "state", "attempts", "next_attempt", "reason"})
        self.assertEqual(entry["sender"], scenario.SENDER)
        self.assertIn("drop@odd.example", self.relay.ask("queue", "show", entry["id"]))
        self.relay.ask("queue", "drop", entry["id"])
        self.assertIsNone(self.relay.queue_entry("drop@odd.example"))
        self.assertEqual(self.relay.command("queue", "show", "0000000000000").returncode, 66, "EX_NOINPUT")


if __name__ == "__main__":
    scenario.main()
