"""Submission by SMTP: what is mended and signed, and what must be refused."""

import email
import email.policy
import pathlib
import smtplib
import socket
import ssl
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import certificates
import dkim
import scenario
import stock_clients

LOCAL, STARTTLS, STRICT = 2525, 587, 2526


class Submission(scenario.Scenario):
    @classmethod
    def build_world(cls):
        identity = certificates.leaf(None, ["mx.recv.example"])
        # Not everybody speaks SMTPUTF8, and nobody needs it for most messages.
        cls.host = cls.receiving_host("mx.recv.example", "127.0.0.2", ["recv.example"], identity, {"smtputf8_enable": "no"})
        cls.dns.add("_25._tcp.mx.recv.example", "TLSA", identity.tlsa())
        chain, key = certificates.leaf(cls.authority, ["localhost"]).write(cls.folder, "listener")
        tls = {"certificate_file": chain, "key_file": key}
        cls.relay_listeners = [
            {"name": "local", "address": "127.0.0.1", "port": LOCAL, "tls": "none", "bare_line_ends": "fix"},
            {"name": "submission", "address": "127.0.0.1", "port": STARTTLS, "tls": "starttls", **tls},
            {"name": "strict", "address": "127.0.0.1", "port": STRICT, "tls": "none"},
        ]

    def test_auth_login_is_understood(self):
        result = stock_clients.login_mechanism(
            stock_clients.Server("none", "localhost", LOCAL, self.ca_file),
            stock_clients.Mail(scenario.USER, scenario.PASSWORD, scenario.SENDER, "login@recv.example",
                               stock_clients.message(scenario.SENDER, "login@recv.example")))
        self.assertTrue(result.accepted, result.text)
        self.signed_by_us("login@recv.example")

    def test_a_wrong_password_is_refused(self):
        with smtplib.SMTP("127.0.0.1", LOCAL, local_hostname="client.example") as client:
            with self.assertRaises(smtplib.SMTPAuthenticationError) as refusal:
                client.login(scenario.USER, "wrong")
            self.assertEqual(refusal.exception.smtp_code, 535)

    def test_mail_without_auth_is_refused_with_what_to_configure(self):
        with smtplib.SMTP("127.0.0.1", LOCAL, local_hostname="client.example") as client:
            client.ehlo()
            code, text = client.mail(scenario.SENDER)
            self.assertEqual(code, 530)
            self.assertTrue(text.startswith(b"5.7.0"), text)

    def test_auth_is_not_offered_before_starttls(self):
        with smtplib.SMTP("localhost", STARTTLS, local_hostname="client.example") as client:
            client.ehlo()
            self.assertNotIn("auth", client.esmtp_features)
            self.assertIn("starttls", client.esmtp_features)
            client.starttls(context=ssl.create_default_context(cafile=self.ca_file))
            client.ehlo()
            self.assertIn("auth", client.esmtp_features)
            self.assertNotIn("starttls", client.esmtp_features)

    def test_commands_sent_in_clear_text_behind_starttls_are_discarded(self):
        with socket.create_connection(("127.0.0.1", STARTTLS), timeout=20) as connection:
            reader = connection.makefile("rb")
            self.assertTrue(reader.readline().startswith(b"220"))
            connection.sendall(b"EHLO client.example\r\n")
            while not reader.readline().startswith(b"250 "):
                pass
            connection.sendall(b"STARTTLS\r\nMAIL FROM:<evil@sender.example>\r\n")
            reply = reader.readline()
            if not reply.startswith(b"220"):
                return  # refused altogether
            context = ssl.create_default_context(cafile=self.ca_file)
            try:
                tls = context.wrap_socket(connection, server_hostname="localhost")
            except OSError:
                return  # the injected line has spoiled the handshake, which is as good
            tls.sendall(b"NOOP\r\n")
            self.assertTrue(tls.recv(4096).startswith(b"250"), "the injected command must not be answered")

    def raw_submission(self, port, recipient, content):
        """Sends content octet by octet as given, after DATA; gives the first reply to it."""
        with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
            reader = connection.makefile("rb")

            def say(line):
                connection.sendall(line + b"\r\n")
                while True:
                    reply = reader.readline()
                    if reply[3:4] != b"-":
                        return reply

            reader.readline()
            say(b"EHLO client.example")
            say(b"AUTH PLAIN " + stock_clients.plain_credentials(scenario.USER, scenario.PASSWORD).encode())
            say(b"MAIL FROM:<" + scenario.SENDER.encode() + b">")
            say(b"RCPT TO:<" + recipient.encode() + b">")
            self.assertTrue(say(b"DATA").startswith(b"354"))
            connection.sendall(content)
            return reader.readline()

    def test_after_a_refused_message_the_next_one_goes_under_its_own_envelope(self):
        with socket.create_connection(("127.0.0.1", STRICT), timeout=30) as connection:
            reader = connection.makefile("rb")
            login = stock_clients.plain_credentials(scenario.USER, scenario.PASSWORD)

            def transaction(recipient, content):
                return (f"MAIL FROM:<{scenario.SENDER}>\r\nRCPT TO:<{recipient}>\r\nDATA\r\n".encode()
                        + stock_clients.message(scenario.SENDER, recipient).encode() + content + b"\r\n.\r\n")

            connection.sendall(f"EHLO client.example\r\nAUTH PLAIN {login}\r\n".encode()
                               + transaction("refused@recv.example", b"a \0")
                               + transaction("wanted@recv.example", b"fine") + b"QUIT\r\n")
            replies = reader.read()
        self.assertIn(b"550 5.6.0", replies)
        self.assertIn(b"250 2.0.0 Ok: queued as", replies)
        self.host.wait_for_message("wanted@recv.example")
        self.assertEqual(self.host.messages("refused@recv.example"), [])

    def smuggling_message(self, recipient, end):
        head = stock_clients.message(scenario.SENDER, recipient).encode()
        return head + end + b"MAIL FROM:<evil@sender.example>\r\nRCPT TO:<smuggled@recv.example>\r\nDATA\r\n" \
            b"From: evil@sender.example\r\nSubject: smuggled\r\n\r\nsmuggled\r\n.\r\n"

    def test_nothing_but_crlf_dot_crlf_ends_a_message(self):
        for number, end in enumerate((b"\n.\n", b"\n.\r\n", b"\r.\r", b"\r\n.\n", b"\r\n.\r", b"\r.\r\n", b"\n.\r")):
            for port in (LOCAL, STRICT):
                with self.subTest(end=end, port=port):
                    recipient = f"smuggle-{number}-{port}@recv.example"
                    reply = self.raw_submission(port, recipient, self.smuggling_message(recipient, end))
                    self.assertTrue(reply.startswith(b"250 2.0.0" if port == LOCAL else b"5"), reply)
                    if port == LOCAL:
                        self.assertNotIn(b"\r.", self.host.wait_for_message(recipient).octets)
        self.assertEqual(self.host.messages("smuggled@recv.example"), [])

    def test_a_listener_that_repairs_turns_lone_line_feeds_into_line_ends_before_signing(self):
        recipient = "lone@recv.example"
        reply = self.raw_submission(LOCAL, recipient, b"From: ann@sender.example\nTo: lone@recv.example\nSubject: x\n\none\ntwo\n\r\n.\r\n")
        self.assertTrue(reply.startswith(b"250"), reply)
        stored = self.host.wait_for_message(recipient)
        self.assertTrue(dkim.DKIM(stored.from_first_signature()).verify(dnsfunc=self.dns.lookup_txt))

    def signed_by_us(self, recipient):
        """The message as its receiver has it, once its signature has verified."""
        stored = self.host.wait_for_message(recipient)
        wire = stored.from_first_signature()
        self.assertTrue(dkim.DKIM(wire).verify(dnsfunc=self.dns.lookup_txt))
        return wire

    def test_headers_outside_ascii_are_encoded_before_signing(self):
        content = "From: Jürgen Müller <ann@sender.example>\r\nSubject: Grüße aus Köln\r\nX-Raw: ä\r\n\r\nHallo.\r\n.\r\n".encode()
        reply = self.raw_submission(LOCAL, "raw@recv.example", content)
        self.assertTrue(reply.startswith(b"250"), reply)
        wire = self.signed_by_us("raw@recv.example")
        self.assertTrue(wire.partition(b"\r\n\r\n")[0].isascii())
        parsed = email.message_from_bytes(wire, policy=email.policy.default)
        self.assertEqual(parsed["Subject"], "Grüße aus Köln")
        self.assertEqual(parsed["From"].addresses[0].display_name, "Jürgen Müller")
        self.assertEqual(parsed["X-Raw"], "ä")

    def test_a_body_in_utf8_that_nothing_labels_is_labelled_before_signing(self):
        head = b"From: ann@sender.example\r\nSubject: x\r\n"
        for name, fields, body, charset in (("utf8", b"", "Grüße ".encode() * 20_000, "utf-8"), ("latin", b"", b"Gr\xfc\xdfe", None),
                                            ("labelled", b"Content-Type: text/plain; charset=koi8-r\r\n", "ä".encode(), "koi8-r")):
            with self.subTest(body=name):
                recipient = f"label-{name}@recv.example"
                reply = self.raw_submission(LOCAL, recipient, head + fields + b"\r\n" + body + b"\r\n.\r\n")
                self.assertTrue(reply.startswith(b"250"), reply)
                parsed = email.message_from_bytes(self.signed_by_us(recipient), policy=email.policy.default)
                self.assertEqual(parsed.get_content_charset(), charset)
                self.assertEqual(parsed["MIME-Version"], "1.0" if name == "utf8" else None)

    def test_long_lines_are_broken_before_signing(self):
        words = b" ".join(b"word%d" % number for number in range(2_000))
        content = b"From: ann@sender.example\r\nSubject: " + words[:3_000] + b"\r\n\r\n" + words + b"\r\n" + b"x" * 5_000 + b"\r\n.\r\n"
        reply = self.raw_submission(STRICT, "long@recv.example", content)
        self.assertTrue(reply.startswith(b"250"), reply)
        wire = self.signed_by_us("long@recv.example")
        self.assertLessEqual(max(map(len, wire.replace(b"\r\n", b"\n").split(b"\n"))), 998)
        body = wire.replace(b"\r\n", b"\n").partition(b"\n\n")[2].replace(b"\n", b"")
        self.assertTrue(body.startswith(words))
        self.assertEqual(body[len(words):].replace(b" ", b""), b"x" * 5_000)

    def test_smtputf8_that_nothing_needs_asks_nothing_of_the_receiver(self):
        with smtplib.SMTP("127.0.0.1", LOCAL, local_hostname="client.example") as client:
            client.login(scenario.USER, scenario.PASSWORD)
            client.sendmail(scenario.SENDER, ["needless@recv.example"],
                            stock_clients.message(scenario.SENDER, "needless@recv.example"), ["BODY=8BITMIME", "SMTPUTF8"])
        self.signed_by_us("needless@recv.example")

    def test_smtputf8_that_words_of_the_header_alone_need_asks_nothing_either(self):
        text = stock_clients.message("Jürgen <ann@sender.example>", "words@recv.example", "Grüße aus Köln").encode()
        with smtplib.SMTP("127.0.0.1", LOCAL, local_hostname="client.example") as client:
            client.login(scenario.USER, scenario.PASSWORD)
            client.sendmail(scenario.SENDER, ["words@recv.example"], text, ["BODY=8BITMIME", "SMTPUTF8"])
        parsed = email.message_from_bytes(self.signed_by_us("words@recv.example"), policy=email.policy.default)
        self.assertEqual(parsed["Subject"], "Grüße aus Köln")
        self.assertEqual(parsed["From"].addresses[0].display_name, "Jürgen")

    def test_the_same_message_comes_by_chunks(self):
        content = stock_clients.message(scenario.SENDER, "chunks@recv.example", body=".\r\n..two\r\nthree").encode()
        with smtplib.SMTP("127.0.0.1", STRICT, local_hostname="client.example") as client:
            client.login(scenario.USER, scenario.PASSWORD)
            self.assertTrue(client.has_extn("chunking"))
            client.mail(scenario.SENDER)
            client.rcpt("chunks@recv.example")
            client.send(b"BDAT 10\r\n" + content[:10])
            self.assertEqual(client.getreply()[0], 250)
            client.send(b"BDAT %d LAST\r\n" % (len(content) - 10) + content[10:])
            self.assertEqual(client.getreply()[0], 250)
        wire = self.signed_by_us("chunks@recv.example").replace(b"\r\n", b"\n")
        self.assertTrue(wire.endswith(b"\n\n.\n..two\nthree\n"), wire[-60:])

    def test_date_and_message_id_are_added_before_signing(self):
        self.submit_ok("fields@recv.example")
        stored = self.host.wait_for_message("fields@recv.example").parsed()
        self.assertTrue(stored["Date"])
        self.assertRegex(stored["Message-ID"], r"^<.+@.+>$")

    def test_a_message_of_a_megabyte_arrives_octet_by_octet(self):
        body = "".join(f"{number:08d} {'x' * 60}\r\n" for number in range(15_000))
        self.submit_ok("large@recv.example", text=stock_clients.message(scenario.SENDER, "large@recv.example", body=body))
        stored = self.host.wait_for_message("large@recv.example")
        self.assertTrue(stored.octets.replace(b"\r\n", b"\n").endswith(body.replace("\r\n", "\n").encode()))
        self.assertTrue(dkim.DKIM(stored.from_first_signature()).verify(dnsfunc=self.dns.lookup_txt))

    def test_one_message_reaches_all_its_recipients_once(self):
        recipients = [f"many-{number}@recv.example" for number in range(20)]
        text = stock_clients.message(scenario.SENDER, "many@recv.example")
        with smtplib.SMTP("127.0.0.1", LOCAL, local_hostname="client.example") as client:
            client.login(scenario.USER, scenario.PASSWORD)
            client.sendmail(scenario.SENDER, recipients, text)
        for recipient in recipients:
            self.host.wait_for_message(recipient)
        self.relay.wait_until_delivered()
        for recipient in recipients:
            self.assertEqual(len(self.host.messages(recipient)), 1)

    def test_no_password_is_in_the_log(self):
        self.submit_ok("log@recv.example")
        for secret in (scenario.PASSWORD, stock_clients.plain_credentials(scenario.USER, scenario.PASSWORD), "BEGIN PRIVATE KEY"):
            self.assertNotIn(secret, self.relay.log())


if __name__ == "__main__":
    scenario.main()
