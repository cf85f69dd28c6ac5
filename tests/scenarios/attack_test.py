"""What an attacker with or without a password says, and what the relay makes of it, on every kind of listener."""

import json
import os
import pathlib
import socket
import ssl
import sys
import warnings

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import attacks
import certificates
import scenario
import stock_clients

LOCAL, STARTTLS, IMPLICIT, STRICT = 2525, 587, 465, 2526
LOGIN = stock_clients.plain_credentials(scenario.USER, scenario.PASSWORD).encode()
BEFORE = {"banner": [], "helo": [b"HELO eve.example"], "ehlo": [b"EHLO eve.example"]}
BEFORE["login"] = BEFORE["ehlo"] + [b"AUTH PLAIN " + LOGIN]
BEFORE["mail"] = BEFORE["login"] + [attacks.A]
BEFORE["rcpt"] = BEFORE["mail"] + [attacks.B]


class Wire:
    """One connection, octet by octet."""

    def __init__(self, port, ca_file):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        if port == IMPLICIT:
            self._secure(ca_file)
        self.reader = self.socket.makefile("rb")
        self.banner = self.reply()
        if port == STARTTLS:
            self.say(b"EHLO eve.example")
            self.say(b"STARTTLS")
            self._secure(ca_file)
            self.reader = self.socket.makefile("rb")

    def _secure(self, ca_file):
        self.socket = ssl.create_default_context(cafile=ca_file).wrap_socket(self.socket, server_hostname="localhost")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, octets):
        try:
            self.socket.sendall(octets)
        except OSError:
            pass  # closed meanwhile; the replies tell

    def reply(self):
        """One reply with all its lines; empty at the end of the stream."""
        lines = []
        while not lines or lines[-1][3:4] == b"-":
            try:
                line = self.reader.readline()
            except OSError:
                line = b""
            if not line:
                break
            lines.append(line)
        return b"".join(lines)

    def say(self, command):
        self.send(command + b"\r\n")
        return self.reply()


class Attack(scenario.Scenario):
    @classmethod
    def build_world(cls):
        cls.dns.add_txt("_dmarc.other.example", "v=DMARC1; p=none")
        identity = certificates.leaf(None, ["mx.recv.example"])
        cls.host = cls.receiving_host("mx.recv.example", "127.0.0.2", ["recv.example"], identity)
        cls.dns.add("_25._tcp.mx.recv.example", "TLSA", identity.tlsa())
        chain, key = certificates.leaf(cls.authority, ["localhost"]).write(cls.folder, "listener")
        tls = {"certificate_file": chain, "key_file": key}
        cls.relay_listeners = [
            {"name": "local", "address": "127.0.0.1", "port": LOCAL, "tls": "none", "bare_line_ends": "fix"},
            {"name": "submission", "address": "127.0.0.1", "port": STARTTLS, "tls": "starttls", **tls},
            {"name": "submissions", "address": "127.0.0.1", "port": IMPLICIT, "tls": "implicit", **tls},
            {"name": "strict", "address": "127.0.0.1", "port": STRICT, "tls": "none"},
        ]

    @classmethod
    def make_relay(cls):
        relay = super().make_relay()
        # Before the account of scenario.py, which may send as anybody.
        relay.add_account(scenario.USER, scenario.PASSWORD, ["sender.example"])
        relay.add_account = lambda *_: None
        return relay

    def wire(self, port, stage):
        wire = Wire(port, self.ca_file)
        for command in BEFORE[stage]:
            self.assertEqual(wire.say(command)[:1], b"2", command)
        return wire

    def play(self, port, stage, exchanges):
        with self.wire(port, stage) as wire:
            for octets, codes in exchanges:
                wire.send(octets)
                for code in codes:
                    reply = wire.reply()
                    if code == attacks.CLOSED:
                        self.assertEqual(reply, b"", "the stream must have ended")
                    else:
                        self.assertRegex(reply.decode("latin-1"), rf"^(?:{code})[ -]", octets[:200])
                        self.assertTrue(all(octet in b"\r\n" or 32 <= octet < 127 for octet in reply), reply)

    def send_content(self, port, content, recipient="eve@recv.example"):
        """The reply to DATA with this content."""
        with self.wire(port, "mail") as wire:
            self.assertEqual(wire.say(b"RCPT TO:<" + recipient.encode() + b">")[:3], b"250")
            self.assertEqual(wire.say(b"DATA")[:3], b"354")
            wire.send(content)
            return wire.reply().decode()

    def send_chunks(self, port, content, recipient="eve@recv.example"):
        """The reply to the same content in chunks; without the dot that ends DATA."""
        with self.wire(port, "mail") as wire:
            self.assertEqual(wire.say(b"RCPT TO:<" + recipient.encode() + b">")[:3], b"250")
            middle = len(content) // 2
            wire.send(b"BDAT %d\r\n" % middle + content[:middle])
            reply = wire.reply().decode()
            if not reply.startswith("250"):
                return reply
            wire.send(b"BDAT %d LAST\r\n" % (len(content) - middle) + content[middle:])
            return wire.reply().decode()

    def test_dialogues(self):
        for port in (LOCAL, STARTTLS, IMPLICIT):
            for name, stage, exchanges in attacks.DIALOGUES:
                with self.subTest(name=name, port=port):
                    self.play(port, stage, exchanges)

    def test_headers_that_lie_or_mislead_are_refused(self):
        for name, header, verdict in attacks.HEADERS:
            for port in (STRICT, IMPLICIT):
                with self.subTest(name=name, port=port):
                    reply = self.send_content(port, header + b"\r\n\r\nbody\r\n.\r\n")
                    self.assertTrue(reply.startswith(verdict), reply)
                    self.assertEqual(self.send_chunks(port, header + b"\r\n\r\nbody\r\n"), reply)

    def test_fields_that_must_not_leave_are_taken_out_before_signing(self):
        header = b"\r\n".join((attacks.OK, b"Subject: stripped", *attacks.STRIPPED))
        self.assertEqual(self.send_content(STRICT, header + b"\r\n\r\nbody\r\n.\r\n", "stripped@recv.example")[:3], "250")
        stored = self.host.wait_for_message("stripped@recv.example").from_first_signature().lower()
        for field in attacks.STRIPPED:
            self.assertNotIn(field.lower(), stored)
        self.assertIn(b"subject: stripped", stored)

    def test_nothing_but_crlf_dot_crlf_ends_a_message(self):
        inner = attacks.lines(attacks.A, b"RCPT TO:<smuggled@recv.example>", b"DATA") + \
            attacks.OK + b"\r\nSubject: smuggled\r\n\r\n%s\r\n.\r\n"
        for name, ending in attacks.ENDINGS.items():
            for port in (LOCAL, STARTTLS, IMPLICIT):
                if name == attacks.REAL_END and port == LOCAL:
                    continue  # where it is mended, what follows are commands by right
                with self.subTest(ending=name, port=port):
                    recipient = f"{name}-{port}@recv.example"
                    outer = attacks.OK + b"\r\nSubject: outer\r\n\r\nbody" + ending + inner % recipient.encode()
                    reply = self.send_content(port, outer, recipient)
                    accepted = name in attacks.PLAIN_TEXT or (port == LOCAL and name not in attacks.WITH_NUL)
                    self.assertEqual(reply[:3], "250" if accepted else "550", reply)
                    if accepted:
                        self.assertIn(b"Subject: smuggled", self.host.wait_for_message(recipient).octets)
        self.relay.wait_until_delivered()
        self.assertEqual([message.octets[-100:] for message in self.host.messages("smuggled@recv.example")], [])

    def test_what_is_sent_in_clear_behind_starttls_is_never_answered(self):
        for injected in (b"NOOP\r\n", b"EHLO eve.example\r\nMAIL FROM:<ann@sender.example>\r\n", b"\r\n", b"A" * 5_000):
            with self.subTest(injected=injected[:20]), socket.create_connection(("127.0.0.1", STARTTLS), timeout=30) as connection:
                reader = connection.makefile("rb")
                reader.readline()
                connection.sendall(b"EHLO eve.example\r\n")
                while reader.readline()[3:4] == b"-":
                    pass
                connection.sendall(b"STARTTLS\r\n" + injected)
                self.assertTrue(reader.readline().startswith(b"220"))
                try:
                    context = ssl.create_default_context(cafile=self.ca_file)
                    with context.wrap_socket(connection, server_hostname="localhost") as tls:
                        tls.sendall(b"HELP\r\n")
                        self.assertTrue(tls.recv(4_096).startswith(b"214"), "the injected octets must not be answered")
                except OSError:
                    pass  # they have spoiled the handshake, which is as good

    def test_starttls_begins_a_session_anew(self):
        with Wire(STARTTLS, self.ca_file) as wire:
            self.assertTrue(wire.say(attacks.A).startswith(b"503"), "EHLO before the handshake must be forgotten")
            self.assertTrue(wire.say(b"EHLO eve.example").startswith(b"250"))
            self.assertTrue(wire.say(b"STARTTLS").startswith(b"503"))
            self.assertTrue(wire.say(b"STARTTLS now").startswith(b"501"))

    def test_old_tls_is_not_spoken(self):
        warnings.simplefilter("ignore", DeprecationWarning)
        for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
            context = ssl.create_default_context(cafile=self.ca_file)
            context.set_ciphers("ALL:@SECLEVEL=0")
            context.minimum_version = context.maximum_version = version
            with socket.create_connection(("127.0.0.1", IMPLICIT), timeout=30) as connection:
                with self.assertRaises(OSError):
                    context.wrap_socket(connection, server_hostname="localhost")

    def test_the_fifth_wrong_password_ends_the_connection(self):
        guess = b"AUTH PLAIN " + attacks.b64(b"\0guessed\0wrong")
        for port in (LOCAL, IMPLICIT):
            with self.subTest(port=port), self.wire(port, "ehlo") as wire:
                for _ in range(4):
                    self.assertTrue(wire.say(guess).startswith(b"535 5.7.8"))
                self.assertTrue(wire.say(guess).startswith(b"421"))
                self.assertEqual(wire.reply(), b"")

    def test_content_of_any_octets_costs_as_much_as_any_other(self):
        def seconds_of_cpu():
            fields = pathlib.Path(f"/proc/{self.relay.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
            return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

        for octets in (b"\r", b"\n", b"\r\r\n", b"\n.", b"\0", b" ", b"\r\n.."):
            before = seconds_of_cpu()
            self.assertEqual(self.send_content(STRICT, b"X:" + octets * (8_000_000 // len(octets)) + b"\r\n.\r\n")[:1], "5")
            self.assertLess(seconds_of_cpu() - before, 5, octets)

    def test_recipients_over_the_limit_are_left_for_later(self):
        with self.wire(STRICT, "mail") as wire:
            wire.send(b"".join(b"RCPT TO:<r%d@recv.example>\r\n" % number for number in range(130)))
            codes = [wire.reply()[:9] for _ in range(130)]
        self.assertEqual(codes, [b"250 2.1.5"] * 100 + [b"452 4.5.3"] * 30)

    def test_the_relay_stands_and_its_log_tells_the_truth(self):
        self.test_dialogues()
        log = self.relay.log()
        for line in log.splitlines():
            self.assertIsInstance(json.loads(line), dict)
        self.assertNotIn("FORGED", [event.get("event") for event in self.relay.events()])
        self.assertTrue(all(character == "\n" or character.isprintable() for character in log))
        self.assertNotIn(scenario.PASSWORD, log)
        self.assertEqual(self.submit("alive@recv.example")[0], 250)


if __name__ == "__main__":
    scenario.main()
