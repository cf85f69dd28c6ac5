"""What a message itself asks of TLS: REQUIRETLS with MAIL, and "TLS-Required: No" in its header (RFC 8689)."""

import pathlib
import smtplib
import ssl
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import certificates
import scenario
import sink
import stock_clients

PORT = 2587


class RequireTls(scenario.Scenario):
    """Hosts with DANE that offer REQUIRETLS or do not, a host that nobody vouches for, and one with a wrong TLSA record."""

    relay_settings = {"delivery.allow_tls_required_no": True}

    @classmethod
    def build_world(cls):
        offering = sink.Behaviour(extensions=["REQUIRETLS"])
        cls.offering = cls.host("offering.example", "127.0.0.2", offering, tlsa=True)
        cls.silent = cls.host("silent.example", "127.0.0.3", sink.Behaviour(), tlsa=True)
        cls.dns.add_zone("insecure.example", signed=False)
        cls.weak = cls.host("weak.insecure.example", "127.0.0.4", offering)
        cls.mistaken = cls.host("mistaken.example", "127.0.0.5", sink.Behaviour())
        cls.dns.add("_25._tcp.mx.mistaken.example", "TLSA", certificates.wrong_tlsa())
        cls.home = cls.host("sender.example", "127.0.0.6", offering, tlsa=True)
        chain, key = certificates.leaf(None, ["localhost"]).write(cls.folder, "listener")
        cls.relay_listeners = [
            {"name": "local", "address": "127.0.0.1", "port": 2525, "tls": "none"},
            {"name": "submission", "address": "127.0.0.1", "port": PORT, "tls": "starttls", "certificate_file": chain,
             "key_file": key}]

    @classmethod
    def host(cls, domain, address, behaviour, tlsa=False):
        identity = certificates.leaf(None, [f"mx.{domain}"])
        host = sink.Sink(cls.folder, address, 25, identity, behaviour)
        cls.addClassCleanup(host.close)
        cls.dns.add(domain, "MX", f"10 mx.{domain}.")
        cls.dns.add(f"mx.{domain}", "A", address)
        if tlsa:
            cls.dns.add(f"_25._tcp.mx.{domain}", "TLSA", identity.tlsa())
        return host

    def tearDown(self):
        self.drop_queue()

    def submit_requiring(self, recipient):
        """Submits with REQUIRETLS inside STARTTLS."""
        context = ssl._create_unverified_context()  # the listener's certificate is not what this is about
        with smtplib.SMTP("127.0.0.1", PORT, local_hostname="client.example", timeout=60) as client:
            client.starttls(context=context)
            client.login(scenario.USER, scenario.PASSWORD)
            self.assertTrue(client.has_extn("requiretls"))
            client.sendmail(scenario.SENDER, [recipient], stock_clients.message(scenario.SENDER, recipient), ["REQUIRETLS"])

    def arrived(self, host, text):
        return scenario.processes.wait_until(
            lambda: next((message for message in host.received if text.encode() in message.octets), None), 45, text)

    def test_it_goes_on_to_a_host_that_is_authenticated_and_offers_it(self):
        self.submit_requiring("one@offering.example")
        message = self.arrived(self.offering, "one@offering.example")
        self.assertIn("REQUIRETLS", message.parameters)
        self.assertTrue(message.tls)

    def test_it_is_returned_when_the_host_does_not_offer_it_and_the_report_asks_for_it_too(self):
        self.submit_requiring("one@silent.example")
        report = self.arrived(self.home, "one@silent.example")
        self.assertIn(b"Status: 5.7.30", report.octets)
        self.assertEqual(report.sender, "")
        self.assertIn("REQUIRETLS", report.parameters)
        self.assertEqual(self.silent.received, [])

    def test_it_is_returned_when_nobody_vouches_for_the_host(self):
        self.submit_requiring("one@weak.insecure.example")
        report = self.arrived(self.home, "one@weak.insecure.example")
        self.assertIn(b"Status: 5.7.10", report.octets)
        self.assertEqual(self.weak.connections, 0)

    def test_mail_without_it_goes_where_it_always_went(self):
        self.submit_ok("two@silent.example")
        message = self.arrived(self.silent, "two@silent.example")
        self.assertNotIn("REQUIRETLS", message.parameters)
        self.silent.received.clear()

    def test_without_tls_it_is_neither_offered_nor_taken(self):
        with smtplib.SMTP("127.0.0.1", 2525, local_hostname="client.example", timeout=60) as client:
            client.login(scenario.USER, scenario.PASSWORD)
            self.assertFalse(client.has_extn("requiretls"))
            code, text = client.docmd("MAIL", f"FROM:<{scenario.SENDER}> REQUIRETLS")
            self.assertEqual((code, text[:6]), (530, b"5.7.10"))

    def test_tls_required_no_passes_a_wrong_tlsa_record_and_only_for_its_own_message(self):
        self.submit_ok("plain@mistaken.example")
        self.assert_deferred("plain@mistaken.example", "TLSA")
        text = stock_clients.message(scenario.SENDER, "mended@mistaken.example", TLS_Required="No")
        self.submit_ok("mended@mistaken.example", text=text)
        self.assertTrue(self.arrived(self.mistaken, "mended@mistaken.example").tls)
        self.assertEqual([message.recipients for message in self.mistaken.received], [("mended@mistaken.example",)])


if __name__ == "__main__":
    scenario.main()
