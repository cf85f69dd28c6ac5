"""A client that waits gets what the receiver itself says, and whatever happens in between, nothing is lost or told twice."""

import http.client
import json
import pathlib
import smtplib
import socket
import struct
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import certificates
import scenario
import sink
import stock_clients

WAITING = 2525
QUEUEING = 2526
LMTP = 2527
HTTP = 2528
PATIENCE_S = 4


class CutThrough(scenario.Scenario):
    relay_settings = {"queue.cut_through_wait": f"{PATIENCE_S}s", "queue.cut_through_accounts": ["impatient"],
                      "queue.retry_delays": ["3600s"]}
    relay_listeners = [
        {"name": "waiting", "address": "127.0.0.1", "port": WAITING, "cut_through": True},
        {"name": "queueing", "address": "127.0.0.1", "port": QUEUEING},
        {"name": "lmtp", "address": "127.0.0.1", "port": LMTP, "protocol": "lmtp", "cut_through": True},
        {"name": "http", "address": "127.0.0.1", "port": HTTP, "protocol": "http", "cut_through": True},
    ]

    @classmethod
    def build_world(cls):
        identity = certificates.leaf(None, ["mx.recv.example"])
        cls.host = sink.Sink(cls.folder, "127.0.0.2", 25, identity)
        cls.addClassCleanup(cls.host.close)
        cls.home = sink.Sink(cls.folder, "127.0.0.3", 25, identity)
        cls.addClassCleanup(cls.home.close)
        for domain, address in (("recv.example", "127.0.0.2"), ("other.example", "127.0.0.2"), ("sender.example", "127.0.0.3")):
            cls.dns.add(f"mx.{domain}", "A", address)
            cls.dns.add(domain, "MX", f"10 mx.{domain}.")
        cls.dns.add("nullmx.example", "MX", "0 .")
        cls.dns.add("dead.example", "MX", "10 mx.dead.example.")
        cls.dns.add("mx.dead.example", "A", "127.0.0.99")

    @classmethod
    def make_relay(cls):
        made = super().make_relay()
        made.add_account("impatient", scenario.PASSWORD)
        return made

    def setUp(self):
        self.host.behaviour = sink.Behaviour()
        self.host.received.clear()
        self.home.received.clear()

    def tearDown(self):
        self.drop_queue()

    def queued(self, recipient):
        return [entry for entry in self.relay.queue() if entry["recipient"] == recipient]

    def assert_reported(self, recipient):
        """Exactly one report about a failure reaches the sender."""
        find = lambda: [message for message in self.home.received if recipient.encode() in message.octets]
        scenario.processes.wait_until(find, 30, f"report about {recipient}")
        self.assertEqual(len(find()), 1)

    def assert_not_reported(self):
        scenario.processes.wait_until(lambda: not self.relay.queue(), 30, "an empty queue")
        self.assertEqual([message.octets for message in self.home.received], [])

    def test_the_reply_is_the_receivers_own(self):
        self.host.behaviour = sink.Behaviour(end_of_data="250 2.6.0 Ok: kept as 4F2")
        code, reply = self.submit("any@recv.example")
        self.assertEqual(code, 250)
        self.assertRegex(reply, r"^2\.6\.0 Ok: kept as 4F2 \(mx\.recv\.example\); queued here as \w{13}$")
        self.assertEqual(len(self.host.received), 1)
        self.assertEqual(self.queued("any@recv.example"), [])

    def test_a_refusal_is_the_clients_alone(self):
        for stage, replies in (("rcpt", {"rcpt": "553 5.1.1 nobody here"}), ("content", {"end_of_data": "554 5.7.1 not wanted"})):
            with self.subTest(stage=stage):
                self.host.behaviour = sink.Behaviour(**replies)
                code, reply = self.submit("gone@recv.example")
                self.assertEqual((code, reply), (553, "5.1.1 nobody here (mx.recv.example)") if stage == "rcpt"
                                 else (554, "5.7.1 not wanted (mx.recv.example)"))
                self.assertEqual(self.queued("gone@recv.example"), [])
                self.assert_not_reported()

    def test_a_domain_that_takes_no_mail_is_told_at_once(self):
        code, reply = self.submit("any@nullmx.example")
        self.assertEqual((code // 100, reply.split(" ")[0]), (5, "5.1.10"), reply)
        self.assert_not_reported()

    def test_what_is_put_off_is_queued(self):
        self.host.behaviour = sink.Behaviour(end_of_data="451 4.7.1 later")
        for recipient in ("later@recv.example", "any@dead.example"):
            self.submit_ok(recipient)
            self.assertEqual([entry["state"] for entry in self.queued(recipient)], ["deferred"])

    def test_who_has_waited_long_enough_is_told_that_it_is_queued(self):
        answer = threading.Event()
        self.addCleanup(answer.set)

        def late_refusal(_):
            answer.wait(60)
            return "550 5.7.1 after all not"
        self.host.behaviour = sink.Behaviour(end_of_data=late_refusal)
        begun = time.monotonic()
        self.submit_ok("slow@recv.example")
        self.assertGreater(time.monotonic() - begun, PATIENCE_S - 1)
        answer.set()
        self.assert_reported("slow@recv.example")

    def test_a_client_that_leaves_has_its_failure_reported(self):
        for way in ("cut", "half closed"):
            with self.subTest(way=way):
                self.home.received.clear()
                arrived, answer = threading.Event(), threading.Event()
                self.addCleanup(answer.set)

                def refuse(_, arrived=arrived, answer=answer):
                    arrived.set()
                    answer.wait(60)
                    return "550 5.7.1 not wanted"
                self.host.behaviour = sink.Behaviour(end_of_data=refuse)
                recipient = f"left-{way.split()[0]}@recv.example"
                client = smtplib.SMTP("127.0.0.1", WAITING, local_hostname="client.example", timeout=60)
                self.addCleanup(client.close)
                client.login(scenario.USER, scenario.PASSWORD)
                client.mail(scenario.SENDER)
                client.rcpt(recipient)
                client.docmd("DATA")
                client.send(stock_clients.message(scenario.SENDER, recipient, subject="left").encode() + b"\r\n.\r\n")
                self.assertTrue(arrived.wait(30))
                if way == "cut":
                    client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    client.close()
                    time.sleep(0.5)
                else:  # it still reads, and is told at once that the message is queued
                    client.sock.shutdown(socket.SHUT_WR)
                    self.assertEqual(client.getreply()[0], 250)
                answer.set()
                self.assert_reported(recipient)

    def submit_to_several(self, *recipients):
        with smtplib.SMTP("127.0.0.1", WAITING, local_hostname="client.example", timeout=60) as client:
            client.login(scenario.USER, scenario.PASSWORD)
            client.mail(scenario.SENDER)
            for recipient in recipients:
                client.rcpt(recipient)
            return client.data(stock_clients.message(scenario.SENDER, recipients[0], subject="several"))

    def test_recipients_for_whom_no_one_answer_is_right_are_queued_and_reported(self):
        self.host.behaviour = sink.Behaviour(rcpt=lambda argument: "550 5.1.1 nobody" if "gone" in argument else "250 2.1.5 Ok")
        for others in ("there@other.example", "there@recv.example"):
            with self.subTest(others=others):
                gone = f"gone-{others.split('@')[1].split('.')[0]}@recv.example"
                code, reply = self.submit_to_several(gone, others)
                self.assertEqual(code, 250)
                self.assertIn(b"Ok: queued as", reply)
                self.assert_reported(gone)

    def test_only_who_is_said_to_waits(self):
        self.host.behaviour = sink.Behaviour(rcpt="550 5.1.1 nobody")
        self.submit_ok("gone@recv.example", port=QUEUEING)
        self.assert_reported("gone@recv.example")
        with smtplib.SMTP("127.0.0.1", QUEUEING, local_hostname="client.example", timeout=60) as client:
            client.login("impatient", scenario.PASSWORD)
            client.mail(scenario.SENDER)
            client.rcpt("gone@recv.example")
            code, reply = client.data(stock_clients.message(scenario.SENDER, "gone@recv.example", subject="impatient"))
        self.assertEqual((code, reply), (550, b"5.1.1 nobody (mx.recv.example)"))

    def test_lmtp_answers_for_each_recipient(self):
        with smtplib.LMTP("127.0.0.1", LMTP, local_hostname="client.example") as client:
            client.login(scenario.USER, scenario.PASSWORD)
            client.mail(scenario.SENDER)
            client.rcpt("one@recv.example")
            client.rcpt("two@recv.example")
            code, reply = client.data(stock_clients.message(scenario.SENDER, "one@recv.example", subject="lmtp"))
            second = client.getreply()
        self.assertEqual(code, 250)
        self.assertEqual((code, reply), second)
        self.assertIn(b"Ok: kept (mx.recv.example)", reply)

    def test_http_tells_what_the_receiver_says(self):
        token = self.relay.ask("account", "token", scenario.USER).strip()

        def post(**headers):
            connection = http.client.HTTPConnection("127.0.0.1", HTTP, timeout=60)
            self.addCleanup(connection.close)
            body = {"from": scenario.SENDER, "to": ["any@recv.example"], "subject": "http", "text": "text"}
            connection.request("POST", "/v1/messages", json.dumps(body),
                               {"Authorization": f"Bearer {token}", "Content-Type": "application/json", **headers})
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        status, answer = post()
        self.assertEqual(status, 200)
        self.assertEqual(answer["delivered"], {"mx": "mx.recv.example", "reply": "250 2.0.0 Ok: kept"})
        self.host.behaviour = sink.Behaviour(rcpt="550 5.1.1 nobody")
        status, answer = post()
        self.assertEqual(status, 422)
        self.assertEqual(answer["error"], {"code": 550, "status": "5.1.1", "text": "nobody (mx.recv.example)"})
        self.assert_not_reported()
        # With a key the request can be repeated, and must get the same answer: it is queued.
        status, answer = post(**{"Idempotency-Key": "again"})
        self.assertEqual((status, "delivered" in answer), (200, False))

    def test_a_relay_that_is_killed_while_its_client_waits_loses_nothing(self):
        arrived, answer = threading.Event(), threading.Event()
        self.addCleanup(answer.set)

        def accept(_):
            arrived.set()
            answer.wait(60)
            return "250 2.0.0 Ok: kept"
        self.host.behaviour = sink.Behaviour(end_of_data=accept)
        outcome = []

        def send():
            try:
                outcome.append(self.submit("killed@recv.example"))
            except (smtplib.SMTPException, OSError) as error:
                outcome.append(error)
        sender = threading.Thread(target=send)
        sender.start()
        self.assertTrue(arrived.wait(30))
        self.relay.kill()
        answer.set()
        sender.join()
        self.assertIsInstance(outcome[0], Exception)  # it was told nothing
        self.host.behaviour = sink.Behaviour()
        self.relay.start()
        scenario.processes.wait_until(
            lambda: any("killed@recv.example" in message.recipients for message in self.host.received), 60, "delivery after the kill")


if __name__ == "__main__":
    scenario.main()
