"""Stock clients submit in every way that they know, and what arrives is signed; etc/clients.md is written from what is seen here."""

import contextlib
import os
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import certificates
import client_table
import debian_unpack
import dkim
import scenario
import stock_clients
import wire_recorder
from processes import Process, accepts_connections

LOCAL, STARTTLS, IMPLICIT, LMTP, PROXIED = 2525, 587, 465, 2527, 2528
RECORDED, BALANCED = 2535, 2538  # what stands before LOCAL and before PROXIED

LENIENT = ("loopback", "proxied")  # listeners that mend line ends

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
    smtp = client_table.Table({**client_table.SMTP, "mended": "mended"}, stock_clients.SMTP)

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
            {"name": "proxied", "address": "127.0.0.1", "port": PROXIED, "proxies": ["127.0.0.1"], "bare_line_ends": "fix"},
            {"name": "users", "socket": cls.socket},
            {"name": "lmtp", "address": "127.0.0.1", "port": LMTP, "protocol": "lmtp"},
        ]
        cls.servers = {kind: stock_clients.Server(tls, host, port, cls.ca_file) for kind, tls, host, port in (
            ("loopback", "none", "localhost", RECORDED), ("starttls", "starttls", "localhost", STARTTLS),
            ("implicit", "implicit", "localhost", IMPLICIT), ("proxied", "none", "localhost", BALANCED),
            ("socket", "socket", str(cls.socket), 0), ("lmtp", "lmtp", "localhost", LMTP))}

    @classmethod
    def make_relay(cls):
        relay = super().make_relay()
        relay.ask("account", "add", "root", "--uid", os.getuid())
        return relay

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        try:
            haproxy = debian_unpack.unpack("haproxy")
        except debian_unpack.UnpackError:
            del cls.servers["proxied"]
            return
        file = cls.folder / "haproxy.cfg"
        file.write_text(HAPROXY)
        process = Process("haproxy", [haproxy.program("usr/sbin/haproxy"), "-db", "-f", str(file)], cls.folder, haproxy.environment())
        cls.addClassCleanup(process.stop)
        process.wait_ready(lambda: accepts_connections("127.0.0.1", BALANCED), 20)

    def assert_signed(self, recipient, line):
        """A message has arrived with this line in it, and both signatures verify over what is stored there."""
        stored = self.host.wait_for_message(recipient)
        self.assertIn(line.encode(), stored.octets)
        wire = stored.from_first_signature()
        for index in range(2):
            self.assertTrue(dkim.DKIM(wire).verify(idx=index, dnsfunc=self.dns.lookup_txt), "signature of what was stored")

    def submit_in_every_way(self, name):
        client = stock_clients.SMTP[name]
        if client.missing():
            self.skipTest(client.missing())
        client.provide()
        for kind, server in self.servers.items():
            if server.tls not in client.speaks:
                continue
            with self.subTest(kind=kind):
                recipient = f"{client_table.slug(name)}-{kind}@recv.example"
                self.smtp.note(name, **{kind: "fails"})
                result = client.submit(server, stock_clients.Mail(
                    scenario.USER, scenario.PASSWORD, scenario.SENDER, recipient,
                    stock_clients.message(scenario.SENDER, recipient, body=f"By {name}.\r\n.dot\r\n")))
                if not client.ends_lines_with_crlf and kind not in LENIENT:
                    self.assertIn("550 5.6.0 bare LF", result.text)
                    self.smtp.note(name, **{kind: "refused: bare line feeds"})
                    continue
                self.assertTrue(result.accepted, result.text[-3000:])
                self.assert_signed(recipient, f"By {name}.")
                self.smtp.note(name, **{kind: "signed"})
                if kind == "loopback":
                    self.smtp.note(name, mended=client_table.repairs(self.recorder.take_content()))


    def test_the_tables_of_clients_say_what_is_seen(self):
        for name in stock_clients.SMTP:
            if name not in self.smtp.rows:
                with contextlib.suppress(unittest.SkipTest):
                    self.submit_in_every_way(name)
        client_table.compare_or_write(self, self.smtp)


for client_name in stock_clients.SMTP:
    setattr(Clients, f"test_{client_table.slug(client_name).replace('-', '_')}_submits",
            lambda self, name=client_name: self.submit_in_every_way(name))


if __name__ == "__main__":
    scenario.main([lambda: debian_unpack.unpack("haproxy"), *(client.provide for client in stock_clients.SMTP.values())])
