"""What clients prove themselves with stays nowhere: dialogues of all kinds at the most talkative log, then a look at all that is left."""

import base64
import http.client
import json
import pathlib
import re
import socket
import ssl
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import certificates
import process_memory
import processes
import scenario
import scram
import sink
import stock_clients

LOCAL, STARTTLS, IMPLICIT, HTTP = 2525, 587, 465, 8025
# Each long enough to be told from chance, and from one another at both ends.
RIGHT, WRONG, GARBLED, MISPLACED, UNFINISHED = (
    f"{word}-Geheimnis-7351-{word[::-1]}" for word in ("right", "wrong", "garbled", "misplaced", "unfinished"))
PRESENT = "no-secret-and-known-to-be-there"


def b64(text):
    return base64.b64encode(text.encode())


class Secrets(scenario.Scenario):
    relay_settings = {"log.level": "debug", "queue.retry_delays": ["3600s"]}

    @classmethod
    def build_world(cls):
        behaviour = sink.Behaviour(rcpt=lambda address: "550 5.1.1 no such user" if "gone" in address else "250 2.1.5 Ok")
        identity = certificates.leaf(None, ["mx.recv.example"])
        cls.host = sink.Sink(cls.folder, "127.0.0.2", 25, identity, behaviour)
        cls.addClassCleanup(cls.host.close)
        cls.dns.add("mx.recv.example", "A", "127.0.0.2")
        cls.dns.add("_25._tcp.mx.recv.example", "TLSA", identity.tlsa())
        for domain in ("recv.example", "sender.example"):
            cls.dns.add(domain, "MX", "10 mx.recv.example.")
        chain, key = certificates.leaf(cls.authority, ["localhost"]).write(cls.folder, "listener")
        tls = {"certificate_file": chain, "key_file": key}
        cls.relay_listeners = [{"name": "local", "address": "127.0.0.1", "port": LOCAL},
                               {"name": "submission", "address": "127.0.0.1", "port": STARTTLS, "tls": "starttls", **tls},
                               {"name": "submissions", "address": "127.0.0.1", "port": IMPLICIT, "tls": "implicit", **tls},
                               {"name": "http", "address": "127.0.0.1", "port": HTTP, "protocol": "http"}]

    @classmethod
    def make_relay(cls):
        relay = super().make_relay()
        relay.add_account("shop", RIGHT, ["sender.example"])
        cls.proofs = []  # of SCRAM, in each form that they had
        cls.token = relay.ask("account", "token", "shop").strip()
        cls.revoked = relay.ask("account", "token", "shop").strip() + "x"
        return relay

    def open_dialogue(self, port, name=b"client.example"):
        """A connection that has said EHLO inside whatever the port wants, and the reader of its replies."""
        context = ssl.create_default_context(cafile=self.ca_file)
        connection = socket.create_connection(("127.0.0.1", port), timeout=60)
        if port == IMPLICIT:
            connection = context.wrap_socket(connection, server_hostname="localhost")
        reader = connection.makefile("rb")
        self.reply(reader)
        if port == STARTTLS:
            for line in (b"EHLO " + name, b"STARTTLS"):
                connection.sendall(line + b"\r\n")
                self.reply(reader)
            connection = context.wrap_socket(connection, server_hostname="localhost")
            reader = connection.makefile("rb")
        connection.sendall(b"EHLO " + name + b"\r\n")
        self.reply(reader)
        return connection, reader

    def dialogue(self, port, lines, end_in_order=True):
        """Says lines one after the other, reading a reply to each; gives the last."""
        connection, reader = self.open_dialogue(port)
        reply = b""
        with connection, reader:
            for line in lines:
                connection.sendall(line + b"\r\n")
                if line is not lines[-1] or end_in_order:
                    reply = self.reply(reader)
        return reply

    @staticmethod
    def reply(reader):
        lines = []
        while not lines or lines[-1][3:4] == b"-":
            lines.append(reader.readline())
            if not lines[-1]:
                break
        return b"".join(lines)

    def log_in_by_scram(self, port, password):
        connection, reader = self.open_dialogue(port)

        def say(line):
            connection.sendall(line + b"\r\n")
            return self.reply(reader)

        with connection, reader:
            exchange = scram.Exchange("shop", password)
            code = scram.log_in(say, exchange)[:3]
        self.proofs += exchange.secrets
        return code

    def send_mail(self, port, login, recipient):
        content = stock_clients.message(scenario.SENDER, recipient).encode().replace(b"\r\n", b"\n").strip().replace(b"\n", b"\r\n")
        return self.dialogue(port, [*login, b"MAIL FROM:<ann@sender.example>", b"RCPT TO:<" + recipient.encode() + b">", b"DATA",
                                    content + b"\r\n."])

    def post(self, authorization, recipient):
        connection = http.client.HTTPConnection("127.0.0.1", HTTP, timeout=60)
        connection.request("POST", "/v1/messages", json.dumps({"from": scenario.SENDER, "to": recipient, "text": "t"}),
                           {"Content-Type": "application/json", "Authorization": authorization})
        status = connection.getresponse().status
        connection.close()
        return status

    def talk(self):
        """Every way to say a secret: right, wrong, garbled, in the wrong place, cut off."""
        def plain(secret):
            return base64.b64encode(f"\0shop\0{secret}".encode())

        for port in (LOCAL, STARTTLS, IMPLICIT):
            self.assertEqual(self.send_mail(port, [b"AUTH PLAIN " + plain(RIGHT)], f"plain-{port}@recv.example")[:3], b"250")
            self.assertEqual(self.send_mail(port, [b"AUTH PLAIN", plain(RIGHT)], f"gone-{port}@recv.example")[:3], b"250")
            self.assertEqual(self.send_mail(port, [b"AUTH LOGIN", b64("shop"), b64(RIGHT)], f"login-{port}@recv.example")[:3], b"250")
            self.assertEqual(self.dialogue(port, [b"AUTH PLAIN " + plain(WRONG)])[:3], b"535")
            self.assertEqual(self.dialogue(port, [b"AUTH LOGIN " + b64("shop"), b64(WRONG)])[:3], b"535")
            self.assertEqual(self.dialogue(port, [b"AUTH PLAIN " + b64(GARBLED)])[:3], b"501")
            self.assertEqual(self.dialogue(port, [b"AUTH PLAIN", plain(GARBLED) + b"!"])[:3], b"501")
            self.assertEqual(self.dialogue(port, [b"AUTH CRAM-MD5 " + plain(GARBLED)])[:3], b"504")
            self.assertEqual(self.dialogue(port, [plain(GARBLED)])[:3], b"500")
            self.assertEqual(self.dialogue(port, [b"MAIL FROM:<ann@sender.example> AUTH=" + plain(MISPLACED).rstrip(b"=")])[:2], b"53")
            self.dialogue(port, [b"AUTH PLAIN", plain(UNFINISHED)[:-4]], end_in_order=False)
            self.assertEqual(self.log_in_by_scram(port, RIGHT), b"235")
            self.assertEqual(self.log_in_by_scram(port, WRONG), b"535")
        self.assertEqual(self.post(f"Bearer {self.token}", "gone-http@recv.example"), 200)
        self.assertEqual(self.post(f"Bearer {self.revoked}", "no@recv.example"), 401)
        self.assertEqual(self.post("Basic " + b64(f"shop:{WRONG}").decode(), "no@recv.example"), 401)
        self.relay.wait_until_delivered()
        processes.wait_until(lambda: sum(b"multipart/report" in message.octets for message in self.host.received) >= 4, 30, "bounces")

    def forms(self, *more):
        """Each secret as it was said, and every way in which base64 may hold it."""
        yield from self.proofs
        for secret in (RIGHT, WRONG, GARBLED, UNFINISHED, self.token, self.revoked, *more):
            yield secret.encode()
            for before in ("", "\0", "\0\0"):  # base64 of a part depends on where it begins
                # Without the ends, which depend on what stands beside it.
                yield base64.b64encode((before + secret).encode())[4:-4]

    def assert_free_of_secrets(self, place, octets):
        for form in self.forms(MISPLACED):
            self.assertNotIn(form, octets, f"{form} is in {place}")

    def test_no_secret_is_in_log_report_answer_or_file(self):
        self.talk()
        self.assertIn('"debug"', self.relay.log(), "the log tells all")
        self.assert_free_of_secrets("the log", self.relay.log().encode())
        for message in self.host.received:
            self.assert_free_of_secrets("a message", message.octets)
        for command in (["account", "list"], ["account", "show", "shop"], ["tenant", "list"], ["queue", "list"]):
            self.assert_free_of_secrets(command, self.relay.ask(*command, "--json").encode())
        for path in pathlib.Path(self.relay.settings["state_directory"]).rglob("*"):
            if path.is_file():
                self.assert_free_of_secrets(path, path.read_bytes())

    # Memory. Under AddressSanitizer what was freed stays for longer, so that what was not overwritten is found all the more surely.

    def stay(self, port, line, code):
        """Logs in and stays, under a name that is looked for too."""
        connection, reader = self.open_dialogue(port, f"{PRESENT}-{port}.example".encode())
        self.addCleanup(connection.close)
        self.addCleanup(reader.close)
        connection.sendall(line + b"\r\n")
        self.assertEqual(self.reply(reader)[:3], code)

    def stay_by_http(self):
        connection = http.client.HTTPConnection("127.0.0.1", HTTP, timeout=60)
        self.addCleanup(connection.close)
        connection.request("POST", "/v1/messages", json.dumps({"from": scenario.SENDER, "to": "stays@recv.example", "text": "t"}),
                           {"Content-Type": "application/json", "Authorization": f"Bearer {self.token}"})
        answer = connection.getresponse()
        answer.read()
        self.assertEqual(answer.status, 200)

    def pieces(self):
        """Beginning and end of each form: what is overwritten only in part is left over too. What stood where addresses
        stand is no secret of ours to keep."""
        for form in self.forms():
            yield form[:16]
            yield form[-16:]

    def test_no_secret_stays_in_memory(self):
        self.talk()
        plain_right, plain_wrong = (base64.b64encode(f"\0shop\0{secret}".encode()) for secret in (RIGHT, WRONG))
        for port in (LOCAL, STARTTLS, IMPLICIT):
            self.stay(port, b"AUTH PLAIN " + plain_right, b"235")
        self.stay(LOCAL, b"AUTH PLAIN " + plain_wrong, b"535")
        self.stay_by_http()
        self.relay.wait_until_delivered()
        present = [f"{PRESENT}-{port}.example".encode() for port in (LOCAL, STARTTLS, IMPLICIT)]
        needles = set(self.pieces()) | set(present)

        def left_over():
            found, octets, left_out = process_memory.find(self.relay.process.pid, needles)
            for name in present:
                self.assertIn(name, found, f"{name} is in memory, or we look at the wrong one: {octets} octets, {left_out}")
                del found[name]
            return found

        # Connections that their clients have left end when the daemon has seen it.
        try:
            processes.wait_until(lambda: not left_over(), 10, "a memory free of secrets", interval_s=0.5)
        except AssertionError as error:
            raise AssertionError(f"{error}: {left_over()}") from None


if __name__ == "__main__":
    scenario.main()
