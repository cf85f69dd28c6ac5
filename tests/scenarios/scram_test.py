"""Logins by SCRAM-SHA-256 and SCRAM-SHA-256-PLUS: by msmtp, by GNU SASL, by another relay, and by a client that cheats."""

import base64
import hashlib
import pathlib
import shutil
import smtplib
import ssl
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import certificates
import relay
import scenario
import scram
import stock_clients

LOCAL, STARTTLS, IMPLICIT, OFF, ON, UNBOUND = 2525, 587, 465, 588, 589, 590
OTHER = 2526  # of another relay, which hands its mail on to this one
UMLAUT = "Schl\u00fcssel"
PLUS = "SCRAM-SHA-256-PLUS"


def mechanisms(client):
    return set(client.esmtp_features.get("auth", "").split())


class Scram(scenario.Scenario):
    @classmethod
    def build_world(cls):
        identity = certificates.leaf(None, ["mx.recv.example"])
        cls.host = cls.receiving_host("mx.recv.example", "127.0.0.2", ["recv.example"], identity)
        cls.dns.add("_25._tcp.mx.recv.example", "TLSA", identity.tlsa())
        cls.dns.add("submit.sender.example", "A", "127.0.0.1")
        chain, key = certificates.leaf(cls.authority, ["localhost", "submit.sender.example"]).write(cls.folder, "listener")
        tls = {"address": "127.0.0.1", "certificate_file": chain, "key_file": key, "scram_plus": True}
        cls.relay_listeners = [
            {"name": "local", "address": "127.0.0.1", "port": LOCAL},
            {"name": "submission", "port": STARTTLS, "tls": "starttls", **tls},
            {"name": "submissions", "port": IMPLICIT, "tls": "implicit", **tls},
            {"name": "off", "port": OFF, "tls": "starttls", "scram": "off", **tls},
            {"name": "on", "port": ON, "tls": "starttls", "scram": "on", **tls},
            {"name": "unbound", "port": UNBOUND, "tls": "starttls", **tls, "scram_plus": False},
        ]

    def connect(self, port, tls_1_2=False):
        """An SMTP connection, inside TLS where the port has it, greeted."""
        context = ssl.create_default_context(cafile=self.ca_file)
        if tls_1_2:
            context.maximum_version = ssl.TLSVersion.TLSv1_2
        if port == IMPLICIT:
            client = smtplib.SMTP_SSL("localhost", port, local_hostname="client.example", context=context, timeout=60)
        else:
            client = smtplib.SMTP("localhost", port, local_hostname="client.example", timeout=60)
        self.addCleanup(client.close)
        if port in (STARTTLS, OFF, ON, UNBOUND):
            client.starttls(context=context)
        client.ehlo()
        return client

    def need(self, program):
        if shutil.which(program) is None:
            self.skipTest(f"{program} is not there")

    @staticmethod
    def log_in(client, exchange, mechanism="SCRAM-SHA-256"):
        """The code of the last reply."""
        def say(line):
            code, text = client.docmd(line.decode())
            return b"%d %s" % (code, text)
        return int(scram.log_in(say, exchange, mechanism)[:3])

    def challenge(self, user, port=LOCAL):
        """The salt and the iterations that a user is told."""
        code, text = self.connect(port).docmd("AUTH", "SCRAM-SHA-256 " + scram.Exchange(user, "x").first())
        self.assertEqual(code, 334)
        return dict(field.split("=", 1) for field in base64.b64decode(text).decode().split(",")[1:])

    def gsasl(self, port, mechanism, password=scenario.PASSWORD, *options):
        return subprocess.run(["gsasl", "--smtp", f"--connect=localhost:{port}", "--starttls", f"--x509-ca-file={self.ca_file}",
                               f"--mechanism={mechanism}", f"--authentication-id={scenario.USER}",
                               f"--password={password}", "--no-client-first", "--verbose", *options],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)

    def test_it_is_offered_where_it_is_wanted_and_plus_inside_tls_alone(self):
        for port, expected in ((LOCAL, {"SCRAM-SHA-256"}), (STARTTLS, {"SCRAM-SHA-256", PLUS}),
                               (IMPLICIT, {"SCRAM-SHA-256", PLUS}), (OFF, set()), (ON, {"SCRAM-SHA-256", PLUS}), (UNBOUND, {"SCRAM-SHA-256"})):
            with self.subTest(port=port):
                client = self.connect(port)
                self.assertEqual(mechanisms(client), {"PLAIN", "LOGIN"} | expected)
                self.assertEqual(self.log_in(client, scram.Exchange(scenario.USER, scenario.PASSWORD)), 235 if expected else 504)
        self.assertEqual(self.log_in(self.connect(STARTTLS), scram.Exchange(scenario.USER, "wrong")), 535)

    def test_msmtp_logs_in_by_it_and_chooses_it_where_there_is_no_tls(self):
        self.need("msmtp")
        for tls, port in (("none", LOCAL), ("starttls", STARTTLS), ("implicit", IMPLICIT)):
            with self.subTest(tls=tls):
                recipient = f"msmtp-{tls}@recv.example"
                done = subprocess.run(
                    ["msmtp", "--file=/dev/null", "--host=localhost", f"--port={port}", f"--tls={'off' if tls == 'none' else 'on'}",
                     f"--tls-starttls={'on' if tls == 'starttls' else 'off'}", f"--tls-trust-file={self.ca_file}", f"--auth={'on' if tls == 'none' else 'scram-sha-256'}",
                     f"--user={scenario.USER}", f"--passwordeval=echo {scenario.PASSWORD}", f"--from={scenario.SENDER}",
                     "--timeout=30", "--debug", "--", recipient],
                    input=stock_clients.message(scenario.SENDER, recipient), capture_output=True, text=True, timeout=60)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
                self.assertIn("AUTH SCRAM-SHA-256", done.stdout)
                self.host.wait_for_message(recipient)

    def test_gnu_sasl_logs_in_with_and_without_channel_binding(self):
        self.need("gsasl")
        for version, binding in (("NORMAL", "p=tls-exporter,"), ("NORMAL:-VERS-TLS1.3", "p=tls-unique")):
            for mechanism, header, more in (("SCRAM-SHA-256", "n,,", ["--no-cb"]), (PLUS, binding, [])):
                with self.subTest(version=version, mechanism=mechanism):
                    done = self.gsasl(STARTTLS, mechanism, scenario.PASSWORD, f"--priority={version}", *more)
                    self.assertIn("235 2.7.0", done.stdout, done.stdout + done.stderr)
                    self.assertIn("\n" + base64.b64encode(header.encode()).decode(), done.stdout)
                    wrong = self.gsasl(STARTTLS, mechanism, "wrong", f"--priority={version}", *more)
                    self.assertIn("535 5.7.8", wrong.stdout + wrong.stderr)

    def test_another_relay_logs_in_by_it(self):
        password = self.folder / "next-hop.password"
        password.write_text(scenario.PASSWORD + "\n")
        password.chmod(0o600)
        other = relay.Relay(self.folder, self.dns, {
            "delivery.ca_file": self.ca_file, "preflight.mode": "warn",
            "route": [{"name": "next", "domains": ["*"], "next_hops": [f"submit.sender.example:{STARTTLS}"], "user": scenario.USER,
                       "password_file": password}]},
            [{"name": "local", "address": "127.0.0.1", "port": OTHER}], "other")
        other.add_account(scenario.USER, scenario.PASSWORD)
        other.start()
        self.addCleanup(other.stop)
        code, reply = self.submit("by-way-of-another@recv.example", port=OTHER)
        self.assertEqual(code, 250, reply)
        self.host.wait_for_message("by-way-of-another@recv.example")

    def test_who_sits_between_is_noticed(self):
        def exchange(gs2_header="n,,", channel=b""):
            return scram.Exchange(scenario.USER, scenario.PASSWORD, gs2_header, channel)

        certificate = hashlib.sha256(self.connect(STARTTLS).sock.getpeercert(True)).digest()
        first, second = self.connect(IMPLICIT, tls_1_2=True), self.connect(IMPLICIT, tls_1_2=True)
        unique, own = (client.sock.get_channel_binding("tls-unique") for client in (first, second))
        for name, client, mechanism, said, code in (
                ("end point", self.connect(STARTTLS), PLUS, exchange("p=tls-server-end-point,,", certificate), 235),
                ("another end point", self.connect(STARTTLS), PLUS, exchange("p=tls-server-end-point,,", bytes(32)), 535),
                ("unique", first, PLUS, exchange("p=tls-unique,,", unique), 235),
                ("of another connection", second, PLUS, exchange("p=tls-unique,,", unique), 535),
                ("the right one after that", second, PLUS, exchange("p=tls-unique,,", own), 235),
                ("unique in TLS 1.3", self.connect(STARTTLS), PLUS, exchange("p=tls-unique,,", unique), 535),
                ("the offer was kept back", self.connect(IMPLICIT), "SCRAM-SHA-256", exchange("y,,"), 535),
                ("nothing was offered", self.connect(LOCAL), "SCRAM-SHA-256", exchange("y,,"), 235),
                ("bound, with the wrong name", self.connect(IMPLICIT), "SCRAM-SHA-256", exchange("p=tls-unique,,", unique), 535),
                ("unbound, with the wrong name", self.connect(IMPLICIT), PLUS, exchange(), 535)):
            with self.subTest(name):
                self.assertEqual(self.log_in(client, said, mechanism), code)
        reasons = " ".join(event["reason"] for event in self.relay.events("login_failed"))
        for words in ("bound to another channel", "somebody has kept that from the client"):
            self.assertIn(words, reasons)

    def test_who_has_no_account_is_told_what_others_are(self):
        known, unknown = self.challenge(scenario.USER), self.challenge("nobody")
        self.assertEqual(known["i"], unknown["i"])
        self.assertEqual(len(known["s"]), len(unknown["s"]))
        self.assertNotEqual(unknown["s"], self.challenge("somebody")["s"])
        self.relay.stop()
        self.relay.start()
        for user, before in ((scenario.USER, known), ("nobody", unknown)):
            self.assertEqual(self.challenge(user), before)
            self.assertEqual(self.challenge(user, STARTTLS), before)
        client = self.connect(LOCAL)
        self.assertEqual(self.log_in(client, scram.Exchange("nobody", "guess")), 535)
        self.assertEqual(self.relay.events("login_failed")[-1]["reason"], "user or password is wrong")
        self.assertEqual([self.log_in(client, scram.Exchange("nobody", "guess")) for _ in range(4)], [535] * 3 + [421])

    def test_an_account_without_keys_keeps_it_from_being_offered(self):
        self.assertIn("SCRAM-SHA-256", mechanisms(self.connect(LOCAL)))
        self.assertIn("has no SCRAM keys", self.relay.ask("account", "add", "old", stdin=UMLAUT + "\n"))
        self.addCleanup(self.relay.ask, "account", "passwd", "old", stdin="ascii\n")
        self.assertIn("old  tenant old  senders any  no SCRAM keys", self.relay.ask("account", "list"))
        for port in (LOCAL, STARTTLS, IMPLICIT):
            self.assertEqual(mechanisms(self.connect(port)), {"PLAIN", "LOGIN"})
        client = self.connect(ON)
        self.assertIn(PLUS, mechanisms(client))
        self.assertEqual(self.log_in(client, scram.Exchange("old", UMLAUT)), 535)
        self.assertEqual(self.relay.events("login_failed")[-1]["reason"], "the account has no SCRAM keys; set its password again")
        code, _ = client.docmd("AUTH", "PLAIN " + base64.b64encode(f"\0old\0{UMLAUT}".encode()).decode())
        self.assertEqual(code, 235)
        self.relay.ask("account", "passwd", "old", stdin="ascii\n")
        client = self.connect(LOCAL)
        self.assertIn("SCRAM-SHA-256", mechanisms(client))
        self.assertEqual(self.log_in(client, scram.Exchange("old", "ascii")), 235)

    def test_a_new_password_counts_at_once(self):
        self.relay.add_account("changing", "first")
        self.assertEqual(self.log_in(self.connect(LOCAL), scram.Exchange("changing", "first")), 235)
        client = self.connect(LOCAL)
        exchange = scram.Exchange("changing", "first")
        _, challenge = client.docmd("AUTH", "SCRAM-SHA-256 " + exchange.first())
        self.relay.ask("account", "passwd", "changing", stdin="second\n")
        self.assertEqual(client.docmd(exchange.last(challenge))[0], 535)
        self.assertEqual(self.log_in(client, scram.Exchange("changing", "first")), 535)
        self.assertEqual(self.log_in(client, scram.Exchange("changing", "second")), 235)

    def test_an_account_of_the_configuration_file_has_what_the_command_prints(self):
        lines = self.relay.ask("account", "hash", stdin="of the file\n")
        self.assertEqual([line.split(" = ")[0] for line in lines.splitlines()], ["password_hash", "scram_keys"])
        self.relay.stop()
        before = self.relay.config_file.read_text()
        self.relay.config_file.write_text(before + f'\n[[account]]\nname = "declared"\n{lines}')
        self.relay.start()
        self.addCleanup(self.relay.start)
        self.addCleanup(self.relay.config_file.write_text, before)
        self.addCleanup(self.relay.stop)
        self.assertEqual(self.log_in(self.connect(STARTTLS), scram.Exchange("declared", "of the file")), 235)
        self.connect(STARTTLS).login("declared", "of the file")


if __name__ == "__main__":
    scenario.main()
