"""What senders ask about time: not before (FUTURERELEASE), and by when (DELIVERBY); kept over restarts, and reported."""

import datetime
import http.client
import json
import pathlib
import smtplib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import certificates
import processes
import scenario
import sink
import stock_clients

HTTP = 8025


class Timing(scenario.Scenario):
    relay_settings = {"queue.max_future_release": "1h", "queue.least_deliver_by": "2s", "queue.retry_delays": ["1s", "3600s"]}
    relay_listeners = [{"name": "local", "address": "127.0.0.1", "port": 2525},
                       {"name": "lmtp", "address": "127.0.0.1", "port": 2527, "protocol": "lmtp"},
                       {"name": "http", "address": "127.0.0.1", "port": HTTP, "protocol": "http"}]

    @classmethod
    def build_world(cls):
        cls.plain = cls.host("plain.example", "127.0.0.2", sink.Behaviour())
        cls.knowing = cls.host("knowing.example", "127.0.0.3", sink.Behaviour(extensions=["DELIVERBY 1", "DSN"]))
        cls.busy = cls.host("busy.example", "127.0.0.4", sink.Behaviour(rcpt="451 4.2.1 not now", extensions=["DELIVERBY"]))
        cls.home = cls.host("sender.example", "127.0.0.6", sink.Behaviour())

    @classmethod
    def host(cls, domain, address, behaviour):
        identity = certificates.leaf(None, [f"mx.{domain}"])
        host = sink.Sink(cls.folder, address, 25, identity, behaviour)
        cls.addClassCleanup(host.close)
        cls.dns.add(domain, "MX", f"10 mx.{domain}.")
        cls.dns.add(f"mx.{domain}", "A", address)
        cls.dns.add(f"_25._tcp.mx.{domain}", "TLSA", identity.tlsa())
        return host

    def setUp(self):
        for host in (self.plain, self.knowing, self.busy, self.home):
            host.received.clear()

    def tearDown(self):
        self.drop_queue()

    def send(self, recipient, *parameters, kind=smtplib.SMTP, port=2525):
        """Submits with parameters of MAIL; gives code and text of the last reply."""
        with kind("127.0.0.1", port, local_hostname="client.example") as client:
            client.login(scenario.USER, scenario.PASSWORD)
            code, text = client.mail(scenario.SENDER, list(parameters))
            if code == 250:
                client.rcpt(recipient)
                code, text = client.data(stock_clients.message(scenario.SENDER, recipient).encode())
            return code, text.decode()

    def post(self, **members):
        token = getattr(self, "token", None) or self.relay.ask("account", "token", scenario.USER).strip()
        connection = http.client.HTTPConnection("127.0.0.1", HTTP, timeout=60)
        connection.request("POST", "/v1/messages", json.dumps({"from": scenario.SENDER, "subject": "s", "text": "t", **members}),
                           {"Content-Type": "application/json", "Authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())

    def arrived(self, host, text):
        return processes.wait_until(lambda: next((one for one in host.received if text.encode() in one.octets), None), 45, text)

    def entry(self, recipient):
        return processes.wait_until(lambda: self.relay.queue_entry(recipient), 30, recipient)

    # Not before.

    def test_limits_are_told_and_kept_by_every_way(self):
        with smtplib.SMTP("127.0.0.1", 2525) as client:
            client.ehlo()
            interval, latest = client.esmtp_features["futurerelease"].split()
            self.assertEqual(interval, "3600")
            self.assertRegex(latest, r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
            self.assertEqual(client.esmtp_features["deliverby"], "2")
        for parameters, members, code in [(["HOLDFOR=3601"], {"hold_for": 3601}, 501), (["BY=1;R"], {"by": "1;R"}, 555),
                                          (["HOLDFOR=60", "BY=30;N"], {"hold_for": 60, "by": "30;N"}, 501)]:
            with self.subTest(parameters=parameters):
                self.assertEqual(self.send("no@plain.example", *parameters)[0], code)
                self.assertEqual(self.send("no@plain.example", *parameters, kind=smtplib.LMTP, port=2527)[0], code)
                status, answer = self.post(to="no@plain.example", **members)
                self.assertEqual((status, answer["error"]["code"]), (422, code))
        self.assertEqual(self.relay.queue(), [])

    def test_a_message_waits_for_its_release_through_a_kill_and_an_operator(self):
        began = time.time()
        until = datetime.datetime.fromtimestamp(int(began) + 21, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        self.assertEqual(self.send("smtp@plain.example", f"HOLDUNTIL={until}")[0], 250)
        self.assertEqual(self.send("lmtp@plain.example", "HOLDFOR=20", kind=smtplib.LMTP, port=2527)[0], 250)
        self.assertEqual(self.post(to="http@plain.example", hold_until=until)[0], 200)
        entry = self.entry("smtp@plain.example")
        self.assertEqual((entry["state"], entry["next_attempt"]), ("queued", until))
        self.assertEqual(entry["reason"], f"its sender asked that it be released at {until}")
        self.assertIn(f"release asked for: until;{until}", self.relay.ask("queue", "show", entry["id"]))
        self.relay.ask("queue", "retry", "--all")
        self.relay.ask("queue", "hold", entry["id"], "--reason", "to see")
        self.relay.ask("queue", "release", entry["id"])
        self.relay.kill()
        self.relay.start()
        for name in ("smtp", "lmtp", "http"):
            self.arrived(self.plain, f"{name}@plain.example")
            self.assertGreaterEqual(time.time(), began + 20, "released too early")
        self.relay.wait_until_delivered()
        self.assertEqual(len(self.plain.received), 3)

    # By when.

    def test_the_time_is_handed_on_to_who_knows_it(self):
        self.assertEqual(self.send("one@knowing.example", "BY=600;R")[0], 250)
        message = self.arrived(self.knowing, "one@knowing.example")
        by = next(parameter for parameter in message.parameters if parameter.startswith("BY="))
        self.assertRegex(by, r"^BY=\d+;R$")
        self.assertLessEqual(int(by[3:-2]), 600)
        self.relay.wait_until_delivered()
        self.assertEqual(self.home.received, [], "nothing is to be told")

    def test_with_trace_handing_on_is_reported(self):
        self.assertEqual(self.send("traced@knowing.example", "BY=600;NT")[0], 250)
        report = self.arrived(self.home, "Final-Recipient: rfc822; traced@knowing.example").octets
        self.assertIn(b"Action: relayed", report)
        self.assertIn(b"Deliver-By-Date: ", report)

    def test_what_must_come_back_in_time_is_not_given_to_who_does_not_know_it(self):
        self.assertEqual(self.send("one@plain.example", "BY=600;R")[0], 250)
        report = self.arrived(self.home, "Final-Recipient: rfc822; one@plain.example").octets
        self.assertIn(b"Status: 5.3.3", report)
        self.assertEqual(self.plain.received, [])

    def test_without_it_the_message_goes_and_that_is_reported(self):
        self.assertEqual(self.send("two@plain.example", "BY=600;N")[0], 250)
        self.arrived(self.plain, "two@plain.example")
        self.assertIn(b"Action: relayed", self.arrived(self.home, "Final-Recipient: rfc822; two@plain.example").octets)

    def test_time_that_is_over_gives_the_message_back_or_tells_and_goes_on(self):
        self.assertEqual(self.send("back@busy.example", "BY=4;R")[0], 250)
        self.assertEqual(self.send("told@busy.example", "BY=4;N")[0], 250)
        failed = self.arrived(self.home, "Final-Recipient: rfc822; back@busy.example").octets
        self.assertIn(b"Action: failed\r\nStatus: 5.4.7", failed.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))
        delayed = self.arrived(self.home, "Final-Recipient: rfc822; told@busy.example").octets
        self.assertIn(b"Action: delayed\r\nStatus: 4.4.7", delayed.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))
        self.assertEqual(self.entry("told@busy.example")["state"], "deferred")
        self.assertIsNone(self.relay.queue_entry("back@busy.example"))


if __name__ == "__main__":
    scenario.main()
