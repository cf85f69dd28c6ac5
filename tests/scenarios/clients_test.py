"""Stock clients submit in every way that they know, and what arrives is signed; etc/clients.md is written from what is seen here."""

import contextlib
import email
import email.policy
import os
import pathlib
import socket
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import certificates
import client_table
import debian_unpack
import dkim
import http_clients
import local_callers
import private_namespace
import relay as relays
import scenario
import stock_clients
import wire_recorder
from processes import Process, accepts_connections

LOCAL, STARTTLS, IMPLICIT, LMTP, PROXIED, HTTP = 2525, 587, 465, 2527, 2528, 8025
RECORDED, BALANCED = 2535, 2538  # what stands before LOCAL and before PROXIED

GROUPS = {"smtp": stock_clients.SMTP, "local": local_callers.LOCAL, "http": http_clients.HTTP}
# TCP in front, and the PROXY header of version 2 behind.
HAPROXY = f"""
defaults
  mode tcp
  timeout connect 10s
  timeout client 60s
  timeout server 60s
listen submission
  bind 127.0.0.1:{BALANCED}
  server relay 127.0.0.1:{PROXIED} send-proxy-v2
"""


class Clients(scenario.Scenario):
    tables = {"smtp": client_table.Table({**client_table.SMTP, "mechanism": "logs in by", "mended": "mended"}, stock_clients.SMTP),
              "local": client_table.Table({"sendmail": "result", "arguments": "arguments of sendmail", "mended": "mended"},
                                          local_callers.LOCAL),
              "http": client_table.Table({"fields": "message in fields", "raw": "message as it is"}, http_clients.HTTP)}

    @classmethod
    def build_world(cls):
        cls.recorder = wire_recorder.WireRecorder(RECORDED, LOCAL)
        cls.addClassCleanup(cls.recorder.close)
        identity = certificates.leaf(None, ["mx.recv.example"])
        # Not everybody speaks SMTPUTF8, and nobody needs it for most messages.
        cls.host = cls.receiving_host("mx.recv.example", "127.0.0.2", ["recv.example"], identity, {"smtputf8_enable": "no"})
        cls.dns.add("_25._tcp.mx.recv.example", "TLSA", identity.tlsa())
        chain, key = certificates.leaf(cls.authority, ["localhost"]).write(cls.folder, "listener")
        tls = {"certificate_file": chain, "key_file": key}
        cls.socket = cls.folder / "submission"
        cls.relay_listeners = [
            {"name": "local", "address": "127.0.0.1", "port": LOCAL, "bare_line_ends": "fix"},
            {"name": "submission", "address": "127.0.0.1", "port": STARTTLS, "tls": "starttls", **tls},
            {"name": "submissions", "address": "127.0.0.1", "port": IMPLICIT, "tls": "implicit", **tls},
            {"name": "proxied", "address": "127.0.0.1", "port": PROXIED, "proxies": ["127.0.0.1"]},
            {"name": "users", "socket": cls.socket},
            {"name": "lmtp", "address": "127.0.0.1", "port": LMTP, "protocol": "lmtp"},
            {"name": "http", "address": "127.0.0.1", "port": HTTP, "protocol": "http"},
        ]

    @classmethod
    def make_relay(cls):
        relay = super().make_relay()
        relay.ask("account", "add", "root", "--uid", os.getuid())
        return relay

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.stand_in_for_sendmail()
        has_balancer = cls.start_haproxy()
        cls.token = cls.relay.ask("account", "token", scenario.USER).strip()
        server = stock_clients.Server
        cls.servers = {
            "loopback": server("none", "localhost", RECORDED, cls.ca_file),
            "starttls": server("starttls", "localhost", STARTTLS, cls.ca_file),
            "implicit": server("implicit", "localhost", IMPLICIT, cls.ca_file),
            **({"proxied": server("none", "localhost", BALANCED, cls.ca_file)} if has_balancer else {}),
            "socket": server("socket", str(cls.socket), ca_file=cls.ca_file),
            "lmtp": server("lmtp", "localhost", LMTP, cls.ca_file),
            "sendmail": server("sendmail", ""),
            **{way: server(way, f"http://127.0.0.1:{HTTP}/v1/messages") for way in http_clients.WAYS}}

    @classmethod
    def start_haproxy(cls):
        """Whether there is one."""
        try:
            haproxy = debian_unpack.unpack("haproxy")
        except debian_unpack.UnpackError:
            return False
        file = cls.folder / "haproxy.cfg"
        file.write_text(HAPROXY)
        process = Process("haproxy", [haproxy.program("usr/sbin/haproxy"), "-db", "-f", str(file)], cls.folder, haproxy.environment())
        cls.addClassCleanup(process.stop)
        process.wait_ready(lambda: accepts_connections("127.0.0.1", BALANCED), 20)
        return True

    @classmethod
    def stand_in_for_sendmail(cls):
        """Makes this host one of sender.example whose sendmail is ours."""
        socket.sethostname("sender.example")
        if os.path.exists("/etc/mailname"):
            name = cls.folder / "mailname"
            name.write_text("sender.example\n")
            private_namespace.show_file(name, "/etc/mailname")
        cls.sendmail = local_callers.SendmailRecorder(cls.folder / "sendmail", relays.build_folder() / "waxwing")
        os.environ.update(WAXWING_SUBMISSION_SOCKET=str(cls.socket), ASAN_OPTIONS="detect_leaks=0")

    def assert_signed(self, recipient, subject, body):
        """The message has arrived, says that in the right characters, and both signatures verify over what is stored there."""
        stored = self.host.wait_for_message(recipient)
        wire = stored.from_first_signature()
        for index in range(2):
            self.assertTrue(dkim.DKIM(wire).verify(idx=index, dnsfunc=self.dns.lookup_txt), "signature of what was stored")
        parsed = email.message_from_bytes(wire, policy=email.policy.default)
        self.assertEqual(parsed["Subject"], subject)
        self.assertTrue(parsed["Date"] and parsed["Message-ID"])
        self.assertTrue(wire.partition(b"\r\n\r\n")[0].isascii(), "a header as every receiver reads it")
        # git adds its version below, and ruby writes quoted-printable with a carriage return too many.
        text = parsed.get_body(("plain",)).get_content().replace("\r\n", "\n")
        self.assertEqual(text.splitlines()[:3], body.splitlines())

    def submit_in_every_way(self, group, name):
        client, table = GROUPS[group][name], self.tables[group]
        client.require()
        for kind, server in self.servers.items():
            if server.way in client.speaks:
                with self.subTest(kind=kind):
                    table.note(name, **{kind: "fails"})
                    table.note(name, **self.submit_once(client, name, kind, server))

    def submit_once(self, client, name, kind, server):
        """One message of a client, to where it arrives; gives what there is to note."""
        recipient = f"{client_table.slug(name)}-{kind}@recv.example"
        mail = stock_clients.Mail(
            scenario.USER, self.token if server.way in http_clients.WAYS else scenario.PASSWORD, scenario.SENDER, recipient,
            stock_clients.message(scenario.SENDER, recipient, f"Grüße von {name}", f"By {name}.\r\n.dot\r\nÄpfel\r\n"))
        result = client.submit(server, mail)
        if not client.ends_lines_with_crlf and kind != "loopback":  # the only one that mends them
            self.assertIn("550 5.6.0 bare LF", result.text)
            return {kind: "refused: bare line feeds"}
        self.assertTrue(result.accepted, result.text[-3000:])
        self.assert_signed(recipient, mail.subject(), mail.body() if client.doubles_dots else mail.body().replace("\n.", "\n"))
        if kind == "loopback":
            said = self.recorder.take()
            return {kind: "signed", "mechanism": wire_recorder.mechanism_of(said),
                    "mended": client_table.repairs(wire_recorder.content_of(said))}
        if kind == "sendmail":
            return {kind: "signed", "arguments": f"`{self.sendmail.arguments(mail)}`",
                    "mended": client_table.repairs(self.sendmail.content())}
        return {kind: "signed"}

    def test_the_tables_of_clients_say_what_is_seen(self):
        if "proxied" not in self.servers:
            self.skipTest("haproxy cannot be had, so a column would be empty")
        for group, clients in GROUPS.items():
            for name in clients:
                if name not in self.tables[group].rows:
                    with contextlib.suppress(unittest.SkipTest):
                        self.submit_in_every_way(group, name)
        client_table.compare_or_write(self, *self.tables.values())


for group_name, group_clients in GROUPS.items():
    for client_name in group_clients:
        setattr(Clients, f"test_{client_table.slug(client_name).replace('-', '_')}_submits_by_{group_name}",
                lambda self, group=group_name, name=client_name: self.submit_in_every_way(group, name))


if __name__ == "__main__":
    scenario.main([lambda: debian_unpack.unpack("haproxy"),
                   *(client.provide for clients in GROUPS.values() for client in clients.values())])
