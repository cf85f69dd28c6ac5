"""Every way into the relay: unix socket and sendmail, LMTP, HTTP, behind a proxy; the same decision and the same octets by each.
And what accounts and tenants may use."""

import base64
import http.client
import json
import os
import pathlib
import pwd
import re
import shutil
import smtplib
import socket
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import attacks
import certificates
import processes
import relay as relays
import scenario
import stock_clients

LOCAL, STRICT, LMTP, HTTP, PROXIED, HTTP_PROXIED = 2525, 2526, 2527, 8025, 2528, 8026
USER_ID = pwd.getpwnam("games").pw_uid  # a local user with an account
STRANGER_ID = pwd.getpwnam("news").pw_uid  # one without
FORGED = b"From: ann@sender.example\r\nSubject: %s\r\nTo: eve@recv.example\r\n\r\nbody\r\n"


class Ways(scenario.Scenario):
    relay_settings = {"delivery.smtp_port": 25}

    @classmethod
    def build_world(cls):
        identity = certificates.leaf(None, ["mx.recv.example"])
        cls.host = cls.receiving_host("mx.recv.example", "127.0.0.2", ["recv.example", "sender.example"], identity)
        cls.dns.add("_25._tcp.mx.recv.example", "TLSA", identity.tlsa())
        cls.public = pathlib.Path(cls.folder) / "public"
        cls.public.mkdir(mode=0o755)
        cls.folder.chmod(0o755)
        cls.socket = cls.public / "submission"
        cls.drop = cls.public / "drop"
        cls.drop.mkdir()
        cls.drop.chmod(0o1733)
        # The program under a name and in a place that every user of the machine can reach.
        cls.sendmail = cls.public / "sendmail"
        shutil.copy(relays.build_folder() / "waxwing", cls.sendmail)
        cls.sendmail.chmod(0o755)
        cls.relay_listeners = [
            {"name": "local", "address": "127.0.0.1", "port": LOCAL, "bare_line_ends": "fix"},
            {"name": "strict", "address": "127.0.0.1", "port": STRICT},
            {"name": "users", "socket": cls.socket},
            {"name": "lmtp", "address": "127.0.0.1", "port": LMTP, "protocol": "lmtp"},
            {"name": "http", "address": "127.0.0.1", "port": HTTP, "protocol": "http"},
            {"name": "proxied", "address": "127.0.0.1", "port": PROXIED, "proxies": ["127.0.0.1"],
             "xclient_peers": ["127.0.0.1"], "max_connections": 3},
            {"name": "http-proxied", "address": "127.0.0.1", "port": HTTP_PROXIED, "protocol": "http", "proxies": ["127.0.0.1"]},
        ]

    @classmethod
    def make_relay(cls):
        cls.relay_settings = {**cls.relay_settings, "drop_directory": cls.drop}
        relay = super().make_relay()
        relay.add_account(scenario.USER, scenario.PASSWORD, ["sender.example"])
        relay.add_account = lambda *_: None
        relay.ask("account", "add", "games", "--uid", USER_ID, "--sender", "sender.example")
        relay.ask("account", "add", "limited", "--tenant", "small", stdin="correct horse battery\n")
        return relay

    # One message by each way; each gives the reply as text.

    def by_smtp(self, content, recipient, chunks=False, port=STRICT, greeting="EHLO"):
        with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
            reader = connection.makefile("rb")

            def say(octets):
                connection.sendall(octets)
                return self.reply(reader)

            self.reply(reader)
            login = stock_clients.plain_credentials(scenario.USER, scenario.PASSWORD)
            for command in (f"{greeting} client.example", f"AUTH PLAIN {login}", "MAIL FROM:<ann@sender.example> BODY=8BITMIME"):
                self.assertEqual(say(command.encode() + b"\r\n")[:1], "2", command)
            recipient_reply = say(f"RCPT TO:<{recipient}>\r\n".encode())
            if recipient_reply[:1] != "2":
                return recipient_reply
            if chunks:
                return say(b"BDAT %d LAST\r\n" % len(content) + content)
            self.assertEqual(say(b"DATA\r\n")[:3], "354")
            return say(re.sub(rb"(?m)^\.", b"..", content) + b".\r\n")

    @staticmethod
    def reply(reader):
        lines = []
        while not lines or lines[-1][3:4] == b"-":
            lines.append(reader.readline())
            if not lines[-1]:
                break
        return b"".join(lines).decode("latin-1")

    def token(self):
        if not hasattr(type(self), "_token"):
            type(self)._token = self.relay.ask("account", "token", scenario.USER).strip()
        return self._token

    def post(self, body, token=None, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", HTTP, timeout=60)
        connection.request("POST", "/v1/messages", body if isinstance(body, (bytes, str)) else json.dumps(body),
                           {"Content-Type": "application/json", "Authorization": f"Bearer {token or self.token()}", **headers})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())

    def by_http(self, content, recipient):
        status, answer = self.post({"raw_base64": base64.b64encode(content).decode(), "mail_from": "ann@sender.example",
                                    "rcpt_to": [recipient]})
        error = answer.get("error", {})
        return "250 2.0.0 accepted" if status == 200 else f"{error.get('code')} {error.get('status')} {error.get('text')}"

    def run_sendmail(self, content, *arguments, uid=USER_ID, program=None):
        environment = {**os.environ, "WAXWING_SUBMISSION_SOCKET": str(self.socket), "WAXWING_DROP_DIRECTORY": str(self.drop),
                       "ASAN_OPTIONS": "detect_leaks=0"}
        return subprocess.run([str(program or self.sendmail), *arguments], input=content, capture_output=True, user=uid, group=uid,
                              env=environment, timeout=120)

    def by_sendmail(self, content, recipient):
        done = self.run_sendmail(content, "-i", "-f", "ann@sender.example", "--", recipient)
        return "250 2.0.0 accepted" if done.returncode == 0 else done.stderr.decode().removeprefix("sendmail: ")

    def ways(self):
        return {"data": lambda c, r: self.by_smtp(c, r),
                "bdat": lambda c, r: self.by_smtp(c, r, chunks=True),
                "lmtp": lambda c, r: self.by_smtp(c, r, port=LMTP, greeting="LHLO"),
                "http": self.by_http,
                "sendmail": self.by_sendmail}

    @staticmethod
    def without_trace(octets):
        """What was submitted, from the first field that the relay did not write."""
        head, _, body = octets.partition(b"\r\n\r\n")
        fields = re.split(rb"\r\n(?![ \t])", head)
        ours = (b"received:", b"dkim-signature:", b"return-path:", b"delivered-to:", b"x-original-to:", b"to: ", b"message-id:",
                b"date:")
        return [field for field in fields if not field.lower().startswith(ours)], body

    def test_every_way_decides_the_same_about_headers(self):
        for name, header, verdict in attacks.HEADERS:
            if b"\n" in header.replace(b"\r\n", b"") or b"\r" in header.replace(b"\r\n", b""):
                continue  # line ends of a local file are others than those of a wire
            for way, submit in self.ways().items():
                if way == "sendmail" and name in ("no-from", "no-header", "spaced-colon", "tab-colon", "folded-first"):
                    continue  # it adds From, and takes text that does not begin with a field for a body
                with self.subTest(name=name, way=way):
                    reply = submit(header + b"\r\n\r\nbody\r\n", "eve@recv.example")
                    self.assertTrue(reply.startswith(verdict), f"{way}: {reply}")

    def test_every_way_refuses_a_suppressed_recipient_until_it_is_let_go(self):
        content = b"From: ann@sender.example\r\nSubject: suppressed\r\n\r\nbody\r\n"
        tenants = {"sendmail": "games"}  # others submit as the account of the scenario
        for way, submit in self.ways().items():
            recipient, tenant = f"suppressed-{way}@recv.example", tenants.get(way, scenario.USER)
            with self.subTest(way=way):
                self.relay.ask("suppression", "add", tenant, recipient, "--reason", "the owner asked", "--keep-for", "2d")
                reply = submit(content, recipient)
                self.assertTrue(reply.startswith("550 5.7.1 ") or way == "sendmail" and "550 5.7.1 " in reply, reply)
                self.assertIn("the owner asked", reply)
                self.relay.ask("suppression", "remove", tenant, recipient, "--reason", "he came back")
                self.assertEqual(submit(content, recipient)[:3], "250")
                self.host.wait_for_message(recipient)
        self.assertEqual(self.relay.events("suppression_added")[-1]["reason"], "the owner asked")
        self.assertEqual(self.relay.events("suppression_removed")[-1]["reason"], "he came back")

    def test_suppressions_are_exported_and_imported(self):
        self.relay.ask("suppression", "import", "--tenant", "small", "--reason", "brought along",
                       stdin="".join(f"user{number}@recv.example\n" for number in range(1_201)))
        exported = self.relay.ask("suppression", "export", "--tenant", "small")
        self.assertEqual(len(exported.splitlines()), 1_201)
        self.relay.ask("suppression", "import", stdin=exported.replace('"small"', '"smaller"'))
        listed = self.relay.ask_json("suppression", "list", "--tenant", "smaller")
        self.assertEqual({entry["reason"] for entry in listed}, {"brought along"})
        self.assertEqual(len(listed), 1_201)

    def test_every_way_stores_the_same_octets(self):
        contents = {
            "plain": b"From: ann@sender.example\r\nSubject: plain\r\n\r\nbody\r\n.dot\r\n..\r\n",
            "8bit": "From: ann@sender.example\r\nSubject: Grüße\r\nContent-Type: text/plain; charset=utf-8\r\n\r\näöü\r\n".encode(),
            "long": b"From: ann@sender.example\r\nSubject: long\r\n\r\n" + b"word " * 400 + b"\r\n",
            "large": b"From: ann@sender.example\r\nSubject: large\r\n\r\n" + b"0123456789abcdef\r\n" * 8_000,
            "stripped": b"From: ann@sender.example\r\nSubject: stripped\r\nBcc: secret@recv.example\r\n\r\nbody\r\n",
        }
        for name, content in contents.items():
            stored = {}
            for way, submit in self.ways().items():
                recipient = f"{name}-{way}@recv.example"
                self.assertEqual(submit(content, recipient)[:3], "250", way)
                stored[way] = self.without_trace(self.host.wait_for_message(recipient).octets)
            for way, octets in stored.items():
                with self.subTest(content=name, way=way):
                    self.assertEqual(octets, stored["data"])

    # sendmail

    def test_a_local_user_without_an_account_is_refused(self):
        done = self.run_sendmail(b"From: ann@sender.example\n\nbody\n", "eve@recv.example", uid=STRANGER_ID)
        self.assertEqual(done.returncode, 77, done.stderr)
        self.assertIn(f"uid {STRANGER_ID} has no account", done.stderr.decode())

    def test_callers_of_sendmail(self):
        message = b"From: ann@sender.example\nTo: %s\nSubject: s\n\nbody\n"
        for name, arguments in {"php": ["-t", "-i", "-fann@sender.example"], "phpmailer": ["-oi", "-fann@sender.example", "-t"],
                                "rails": ["-i", "-f", "ann@sender.example", "--", "rails@recv.example"],
                                "cron": ["-FCronDaemon", "-i", "-B8BITMIME", "-oem", "-fann@sender.example", "cron@recv.example"]
                                }.items():
            with self.subTest(caller=name):
                done = self.run_sendmail(message % f"{name}@recv.example".encode(), *arguments)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.host.wait_for_message(f"{name}@recv.example")

    def test_smtp_on_standard_input_and_output(self):
        dialogue = (b"HELO client.example\r\nMAIL FROM:<ann@sender.example>\r\nRCPT TO:<bs@recv.example>\r\nDATA\r\n"
                    b"From: ann@sender.example\r\n\r\nbody\r\n.\r\nQUIT\r\n")
        done = self.run_sendmail(dialogue, "-bs")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout.decode(), r"(?s)^220 .*250 2\.0\.0 Ok: queued as .*221 ")
        self.host.wait_for_message("bs@recv.example")

    def test_messages_wait_while_the_relay_does_not_run(self):
        before = len(self.relay.events("drop_refused"))
        self.relay.stop()
        done = self.run_sendmail(b"From: ann@sender.example\nSubject: waited\n\nbody\n", "-f", "ann@sender.example",
                                 "dropped@recv.example")
        self.assertEqual(done.returncode, 0, done.stderr)
        stranger = self.run_sendmail(b"From: ann@sender.example\n\nbody\n", "-f", "ann@sender.example", "no@recv.example",
                                     uid=STRANGER_ID)
        self.assertEqual(stranger.returncode, 0, "who has an account, the relay alone knows")
        forged = self.run_sendmail(b"From: bob@other.example\n\nbody\n", "-f", "bob@other.example", "no@recv.example")
        self.assertEqual(forged.returncode, 0)
        listing = subprocess.run(["ls", str(self.drop)], user=STRANGER_ID, group=STRANGER_ID, capture_output=True)
        self.assertNotEqual(listing.returncode, 0, "nobody but the relay sees what waits")
        (self.drop / ("0" * 32 + ".msg")).symlink_to("/etc/passwd")
        (self.drop / ("1" * 32 + ".msg")).write_text("not ours\n")
        self.relay.start()
        stored = self.host.wait_for_message("dropped@recv.example")
        self.assertIn(b"Subject: waited", stored.octets)
        processes.wait_until(lambda: not list(self.drop.glob("*.msg")), 30, "an empty drop directory")
        refused = [event["reason"] for event in self.relay.events("drop_refused")[before:]]
        self.assertEqual(len(refused), 4, refused)
        self.assertEqual(self.host.messages("no@recv.example"), [])

    def test_a_sender_learns_that_what_waited_was_refused(self):
        self.relay.stop()
        content = b"From: bob@other.example\nSubject: unwanted-17\n\nsecret-of-the-body\n"
        done = self.run_sendmail(content, "-f", "ann@sender.example", "refused@recv.example")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.relay.start()
        report = self.host.wait_for_message("ann@sender.example").octets
        self.assertIn(b"Final-Recipient: rfc822; refused@recv.example", report)
        self.assertIn(b"Status: 5.7.1", report)
        self.assertIn(b"Subject: unwanted-17", report)
        self.assertNotIn(b"secret-of-the-body", report)
        kept = [path for path in self.drop.glob("*.refused") if b"unwanted-17" in path.read_bytes()]
        self.assertEqual(len(kept), 1, "the message itself is not lost")
        self.assertEqual(kept[0].stat().st_uid, USER_ID, "and is its owner's")

    # HTTP

    def test_a_structured_message_by_http(self):
        status, answer = self.post({"from": "Ann <ann@sender.example>", "to": ["http@recv.example"], "bcc": "bcc@recv.example",
                                    "subject": "Grüße", "text": "äöü\n", "html": "<p>äöü</p>"})
        self.assertEqual(status, 200, answer)
        stored = self.host.wait_for_message("http@recv.example").octets
        self.assertIn(b"multipart/alternative", stored)
        self.assertIn(b"with HTTPA id " + answer["id"].encode(), stored)
        self.assertNotIn(b"bcc@recv.example", self.without_trace(self.host.wait_for_message("bcc@recv.example").octets)[1])

    def test_http_asks_for_a_token_before_it_reads_a_body(self):
        self.assertEqual(self.post({}, token="wx_guess")[0], 401)
        with socket.create_connection(("127.0.0.1", HTTP), timeout=30) as connection:
            connection.sendall(b"POST /v1/messages HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"
                               b"Content-Length: 1000000\r\n\r\n")
            self.assertTrue(connection.recv(4096).startswith(b"HTTP/1.1 401 "), "without waiting for the body")

    def test_http_requests_that_are_refused(self):
        good = {"from": "ann@sender.example", "to": "eve@recv.example"}
        for status, body, headers in [(422, {**good, "from": "bob@other.example"}, {}), (400, {**good, "subject": "a\r\nBcc: x"}, {}),
                                      (400, "{", {}), (415, good, {"Content-Type": "text/plain"}),
                                      (422, {**good, "mail_from": "bob@other.example"}, {}),
                                      (400, {**good, "headers": {"From": "bob@other.example"}}, {}),
                                      (422, {**good, "headers": {"Sender": "bob@other.example"}}, {}),
                                      (400, good, {"Idempotency-Key": "a b"})]:
            with self.subTest(body=body):
                self.assertEqual(self.post(body, **headers)[0], status)

    def test_a_repeated_request_sends_once(self):
        body = {"from": "ann@sender.example", "to": "once@recv.example", "subject": "once"}
        first = self.post(body, **{"Idempotency-Key": "order-17"})
        again = self.post(body, **{"Idempotency-Key": "order-17"})
        self.assertEqual((first[0], again[0]), (200, 200))
        self.assertEqual(again[1], {"id": first[1]["id"], "repeated": True})
        self.assertEqual(self.post({**body, "subject": "other"}, **{"Idempotency-Key": "order-17"})[0], 422)
        self.relay.wait_until_delivered()
        self.assertEqual(len(self.host.messages("once@recv.example")), 1)

    def test_a_revoked_token_is_worthless_at_once(self):
        token = self.relay.ask("account", "token", "limited").strip()
        body = {"from": "ann@sender.example", "to": "eve@recv.example"}
        self.assertEqual(self.post(body, token=token)[0], 200)
        self.relay.ask("account", "revoke", "limited")
        self.assertEqual(self.post(body, token=token)[0], 401)
        self.assertNotIn(token, self.relay.log())

    # Behind a proxy

    def greet(self, first):
        connection = socket.create_connection(("127.0.0.1", PROXIED), timeout=30)
        connection.sendall(first)
        return connection, connection.makefile("rb")

    def test_a_proxy_tells_the_client(self):
        for name, header in {"v1": b"PROXY TCP4 192.0.2.77 127.0.0.1 4711 25\r\n",
                             "v2": b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" + bytes([192, 0, 2, 77, 127, 0, 0, 1, 1, 2, 3, 4])}.items():
            with self.subTest(version=name):
                connection, reader = self.greet(header + b"EHLO client.example\r\n")
                with connection:
                    self.assertTrue(reader.readline().startswith(b"220"))
                    self.reply(reader)
                    login = stock_clients.plain_credentials(scenario.USER, scenario.PASSWORD)
                    for command in (f"AUTH PLAIN {login}", "MAIL FROM:<ann@sender.example>", f"RCPT TO:<proxy-{name}@recv.example>",
                                    "DATA"):
                        connection.sendall(command.encode() + b"\r\n")
                        self.reply(reader)
                    connection.sendall(b"From: ann@sender.example\r\n\r\nbody\r\n.\r\n")
                    self.assertEqual(self.reply(reader)[:3], "250")
                stored = self.host.wait_for_message(f"proxy-{name}@recv.example").octets
                self.assertIn(b"([192.0.2.77])", stored)

    def test_what_is_no_proxy_header_is_cut_and_no_stranger_may_send_one(self):
        connection, reader = self.greet(b"EHLO client.example\r\n")
        with connection:
            self.assertEqual(reader.readline(), b"")
        with socket.create_connection(("127.0.0.1", LOCAL), timeout=30) as stranger:
            stranger.sendall(b"PROXY TCP4 192.0.2.77 127.0.0.1 4711 25\r\n")
            answers = stranger.makefile("rb")
            answers.readline()
            self.assertTrue(answers.readline().startswith(b"500 "))

    def request(self, recipient, token):
        body = json.dumps({"from": "ann@sender.example", "to": recipient, "text": "t"}).encode()
        return (b"POST /v1/messages HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nConnection: close\r\n"
                b"Authorization: Bearer %s\r\nContent-Length: %d\r\n\r\n" % (token.encode(), len(body)) + body)

    def test_a_proxy_tells_the_client_of_http(self):
        header = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" + bytes([192, 0, 2, 79, 127, 0, 0, 1, 1, 2, 3, 4])
        for piece in (1_000_000, 7):  # with the request in one go, and cut anywhere
            recipient = f"http-proxy-{piece}@recv.example"
            octets = header + self.request(recipient, self.token())
            with socket.create_connection(("127.0.0.1", HTTP_PROXIED), timeout=30) as connection:
                for at in range(0, len(octets), piece):
                    connection.sendall(octets[at:at + piece])
                self.assertTrue(connection.makefile("rb").readline().startswith(b"HTTP/1.1 200 "))
            self.assertIn(b"([192.0.2.79])", self.host.wait_for_message(recipient).octets)
        with socket.create_connection(("127.0.0.1", HTTP_PROXIED), timeout=30) as connection:
            connection.sendall(header + self.request("no@recv.example", "wx_guess"))
            self.assertTrue(connection.makefile("rb").readline().startswith(b"HTTP/1.1 401 "))
        self.assertIn("192.0.2.79", [event["peer"] for event in self.relay.events("login_failed")])

    def test_http_without_the_header_is_cut_where_it_is_due_and_with_it_elsewhere(self):
        for port, first in ((HTTP_PROXIED, b""), (HTTP, b"PROXY TCP4 192.0.2.77 127.0.0.1 4711 25\r\n")):
            with self.subTest(port=port), socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
                connection.sendall(first + self.request("no@recv.example", self.token()))
                try:
                    self.assertNotIn(b" 200 ", connection.makefile("rb").readline())
                except ConnectionResetError:
                    pass  # closed before all was read

    def test_xclient_is_for_listed_peers(self):
        connection, reader = self.greet(b"PROXY UNKNOWN\r\nEHLO client.example\r\nXCLIENT LOGIN=app ADDR=192.0.2.88\r\n"
                                        b"EHLO client.example\r\nMAIL FROM:<ann@sender.example>\r\n")
        with connection:
            codes = [self.reply(reader)[:3] for _ in range(5)]
        self.assertEqual(codes, ["220", "250", "220", "250", "250"])
        with smtplib.SMTP("127.0.0.1", LOCAL) as stranger:
            stranger.ehlo()
            self.assertEqual(stranger.docmd("XCLIENT", "LOGIN=app")[0], 550)

    def test_a_listener_takes_so_many_connections(self):
        open_ones = [self.greet(b"PROXY TCP4 192.0.2.%d 127.0.0.1 4711 25\r\n" % i) for i in range(3)]
        try:
            for _, reader in open_ones:
                self.assertTrue(reader.readline().startswith(b"220"))
            connection, reader = self.greet(b"PROXY TCP4 192.0.2.99 127.0.0.1 4711 25\r\n")
            with connection:
                self.assertTrue(reader.readline().startswith(b"421 4.7.0"))
        finally:
            for connection, _ in open_ones:
                connection.close()

    # Limits

    def as_limited(self, recipient):
        with smtplib.SMTP("127.0.0.1", LOCAL, timeout=60) as client:
            client.login("limited", scenario.PASSWORD)
            try:
                client.sendmail("ann@sender.example", [recipient], FORGED % b"limited")
                return 250
            except smtplib.SMTPResponseException as error:
                return error.smtp_code

    def test_limits_are_in_force_at_once_and_hit_exactly(self):
        used = self.relay.ask_json("account", "show", "limited")[0]["last_day"]["messages"]
        self.relay.ask("account", "limit", "limited", "--messages-per-hour", used + 2)
        self.assertEqual([self.as_limited("limit@recv.example") for _ in range(3)], [250, 250, 452])
        self.assertEqual(self.submit("other@recv.example")[0], 250, "others are not concerned")
        self.relay.ask("account", "limit", "limited", "--messages-per-hour", 0)
        self.relay.ask("tenant", "limit", "small", "--messages-per-day", 1)
        self.assertEqual(self.as_limited("limit@recv.example"), 452)
        self.relay.ask("tenant", "limit", "small", "--messages-per-day", 0)
        self.relay.ask("account", "limit", "limited", "--connections", 1)
        with smtplib.SMTP("127.0.0.1", LOCAL, timeout=60) as first:
            first.login("limited", scenario.PASSWORD)
            with smtplib.SMTP("127.0.0.1", LOCAL, timeout=60) as second:
                second.ehlo()
                credentials = stock_clients.plain_credentials("limited", scenario.PASSWORD)
                self.assertEqual(second.docmd("AUTH", f"PLAIN {credentials}")[0], 421)
        self.relay.ask("account", "limit", "limited", "--connections", 0)

    def test_new_recipients_are_limited_and_known_ones_are_not(self):
        self.relay.ask("account", "limit", "limited", "--new-recipients-per-day", 2)
        self.assertEqual([self.as_limited(f"new{i}@recv.example") for i in (1, 2, 3, 1, 2)], [250, 250, 452, 250, 250])
        time.sleep(3)  # until they are written down
        self.assertEqual([self.as_limited(f"new{i}@recv.example") for i in (1, 3)], [250, 452])
        self.relay.ask("account", "limit", "limited", "--new-recipients-per-day", 0)

    def test_mail_of_a_held_account_waits(self):
        self.relay.ask("account", "hold", "limited", "--reason", "its password was seen elsewhere")
        try:
            self.assertEqual(self.as_limited("held@recv.example"), 250)
            entry = processes.wait_until(lambda: self.relay.queue_entry("held@recv.example"), 30, "a held message")
            self.assertEqual(entry["state"], "held")
            self.assertEqual(entry["reason"], "its password was seen elsewhere")
        finally:
            self.relay.ask("account", "release", "limited")
        self.relay.ask("queue", "release", "--account", "limited")
        self.host.wait_for_message("held@recv.example")


if __name__ == "__main__":
    scenario.main()
