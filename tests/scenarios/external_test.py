"""Clients that log in with a certificate (AUTH EXTERNAL), beside others that have none, the wrong one, or one for other purposes."""

import base64
import hashlib
import pathlib
import smtplib
import ssl
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import certificates
import scenario
import stock_clients

STARTTLS, IMPLICIT, PLAIN = 587, 465, 588


class External(scenario.Scenario):
    @classmethod
    def build_world(cls):
        identity = certificates.leaf(None, ["mx.recv.example"])
        cls.host = cls.receiving_host("mx.recv.example", "127.0.0.2", ["recv.example"], identity)
        cls.dns.add("_25._tcp.mx.recv.example", "TLSA", identity.tlsa())
        cls.clients = certificates.authority("Clients")
        cls.clients_file = cls.folder / "clients.pem"
        cls.clients_file.write_bytes(cls.clients.certificate_pem())
        chain, key = certificates.leaf(cls.authority, ["localhost"]).write(cls.folder, "listener")
        tls = {"certificate_file": chain, "key_file": key}
        cls.relay_listeners = [
            {"name": "local", "address": "127.0.0.1", "port": 2525},
            {"name": "submission", "address": "127.0.0.1", "port": STARTTLS, "tls": "starttls", "client_ca_file": cls.clients_file, **tls},
            {"name": "submissions", "address": "127.0.0.1", "port": IMPLICIT, "tls": "implicit", "client_ca_file": cls.clients_file, **tls},
            {"name": "without", "address": "127.0.0.1", "port": PLAIN, "tls": "starttls", **tls},
        ]
        cls.app = certificates.client(cls.clients, dns=["app.sender.example"])

    @classmethod
    def make_relay(cls):
        relay = super().make_relay()
        relay.ask("account", "add", "shop", "--certificate", "app.sender.example", "--sender", "sender.example")
        return relay

    def connect(self, port, identity, tls_1_2=False):
        """An SMTP connection inside TLS, greeted, with this certificate of the client; None: with none."""
        context = ssl.create_default_context(cafile=self.ca_file)
        if tls_1_2:
            context.maximum_version = ssl.TLSVersion.TLSv1_2
        if identity:
            context.load_cert_chain(*identity.write(self.folder, "client"))
        if port == IMPLICIT:
            client = smtplib.SMTP_SSL("localhost", port, local_hostname="client.example", context=context, timeout=60)
        else:
            client = smtplib.SMTP("localhost", port, local_hostname="client.example", timeout=60)
            client.starttls(context=context)
        self.addCleanup(client.close)
        client.ehlo()
        return client

    @staticmethod
    def external(client, identity=""):
        code, text = client.docmd("AUTH", "EXTERNAL " + (base64.b64encode(identity.encode()).decode() or "="))
        return code, text.decode()

    def test_a_certificate_logs_in_and_sends_in_the_names_of_its_account(self):
        for port, old in ((STARTTLS, False), (IMPLICIT, False), (IMPLICIT, True)):
            with self.subTest(port=port, old=old):
                recipient = f"to-{port}-{old}@recv.example".lower()
                client = self.connect(port, self.app, old)
                self.assertIn("EXTERNAL", client.esmtp_features["auth"])
                self.assertEqual(self.external(client)[0], 235)
                client.sendmail(scenario.SENDER, [recipient], stock_clients.message(scenario.SENDER, recipient))
                self.host.wait_for_message(recipient)
                self.assertEqual(client.mail("bob@other.example")[0], 550)

    def test_it_acts_as_nobody_else(self):
        client = self.connect(STARTTLS, self.app)
        self.assertEqual(self.external(client, scenario.USER)[0], 535)
        self.assertEqual(self.external(client, "Shop")[0], 535)
        self.assertEqual(client.mail(scenario.SENDER)[0], 530)
        self.assertEqual(self.external(client, "shop")[0], 235)

    def test_it_is_not_offered_without_a_verified_certificate(self):
        stranger = certificates.client(certificates.authority("Others"), dns=["app.sender.example"])
        server = certificates.leaf(self.clients, ["app.sender.example"])
        expired = certificates.client(self.clients, dns=["app.sender.example"], expired=True)
        for name, port, identity in (("none", STARTTLS, None), ("stranger", STARTTLS, stranger), ("server", IMPLICIT, server),
                                     ("expired", IMPLICIT, expired), ("listener", PLAIN, self.app)):
            with self.subTest(name=name):
                client = self.connect(port, identity)
                self.assertNotIn("EXTERNAL", client.esmtp_features["auth"])
                self.assertEqual(self.external(client)[0], 504)
                client.login(scenario.USER, scenario.PASSWORD)  # a certificate for other purposes keeps nobody out

    def test_a_certificate_of_no_account_opens_none_and_of_two_neither(self):
        self.relay.ask("account", "add", "office", "--certificate", "office@sender.example")
        unknown = self.connect(STARTTLS, certificates.client(self.clients, dns=["other.sender.example"]))
        self.assertEqual(self.external(unknown)[0], 535)
        both = certificates.client(self.clients, dns=["app.sender.example"], mail=["office@sender.example"])
        self.assertEqual(self.external(self.connect(STARTTLS, both))[0], 535)
        self.assertEqual(self.external(self.connect(STARTTLS, certificates.client(self.clients, mail=["office@sender.example"])))[0], 235)

    def test_keys_can_be_listed_and_taken_back_at_once(self):
        identity = certificates.client(self.clients)
        digest = hashlib.sha256(identity.public_key_der()).hexdigest()
        self.relay.ask("account", "add", "pinned", "--certificate", f"sha256:{digest}")
        self.assertEqual(self.external(self.connect(IMPLICIT, identity))[0], 235)
        self.relay.ask("account", "certificates", "pinned")
        self.assertEqual(self.external(self.connect(IMPLICIT, identity))[0], 535)
        self.assertEqual(self.relay.command("account", "certificates", "pinned", "--certificate", "app.sender.example").returncode, 73)

    def test_swaks_and_curl_log_in_with_a_certificate(self):
        chain, key = self.app.write(self.folder, "stock")
        message = self.folder / "message.eml"
        message.write_text(stock_clients.message(scenario.SENDER, "stock@recv.example"), newline="")
        for name, command in {
                "swaks": ["swaks", "--server", "localhost", "--port", str(STARTTLS), "--tls", "--tls-cert", chain, "--tls-key", key,
                          "--tls-verify", "--tls-ca-path", self.ca_file, "--from", scenario.SENDER, "--to", "swaks@recv.example"],
                "curl": ["curl", "--silent", "--show-error", "--ssl-reqd", "--cacert", self.ca_file, "--cert", chain, "--key", key,
                         "--login-options", "AUTH=EXTERNAL", "--user", "shop:", "--mail-from", scenario.SENDER, "--mail-rcpt",
                         "curl@recv.example", "--upload-file", str(message), f"smtp://localhost:{STARTTLS}/client.example"]}.items():
            with self.subTest(client=name):
                done = subprocess.run(command, capture_output=True, text=True, timeout=60)
                if name == "swaks":
                    # swaks has no EXTERNAL, but presents its certificate: it is told to log in.
                    self.assertIn(" EXTERNAL", done.stdout)
                    self.assertIn("530 5.7.0", done.stdout)
                else:
                    self.assertEqual(done.returncode, 0, done.stderr)
                    self.host.wait_for_message("curl@recv.example")


if __name__ == "__main__":
    scenario.main()
