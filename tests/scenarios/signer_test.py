"""Private keys in a process of their own: the relay cannot see them, and can lose the signer without losing mail."""

import base64
import json
import os
import pathlib
import random
import re
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import dkim

import certificates
import load
import processes
import scenario
import signer

RELAY_USER, SIGNER_USER, STRANGER = 60101, 60102, 60103


def der_integers(octets):
    """The integers of an RSAPrivateKey (RFC 8017 §A.1.2), wherever they stand in a DER structure."""
    found, at = [], 0
    while at < len(octets):
        tag, length, at = octets[at], octets[at + 1], at + 2
        if length & 0x80:
            size = length & 0x7F
            length, at = int.from_bytes(octets[at:at + size], "big"), at + size
        if tag == 0x02:
            found.append(octets[at:at + length].lstrip(b"\0"))
            at += length
        elif tag == 0x04:
            found += der_integers(octets[at:at + length]) if octets[at] == 0x30 else [octets[at + 2:at + length]]
            at += length
        elif tag != 0x30:  # a sequence is entered
            at += length
    return found


def private_numbers(pem):
    """What nobody but the signer may have in memory: d, p and q of RSA, the seed of Ed25519."""
    octets = base64.b64decode("".join(line for line in pem.splitlines() if not line.startswith("-")))
    long = [number for number in der_integers(octets) if len(number) >= 32]
    return long if len(long) == 1 else long[1:]  # the first one of RSA is the public modulus


def memory_of(pid):
    """Everything that a process can read of its own."""
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in maps:
            begin, end, rights = re.match(r"([0-9a-f]+)-([0-9a-f]+) (\S+)", line).groups()
            # Shadow memory of AddressSanitizer: terabytes without content.
            if not rights.startswith("r") or int(end, 16) - int(begin, 16) > 1 << 32:
                continue
            try:
                memory.seek(int(begin, 16))
                yield memory.read(int(end, 16) - int(begin, 16))
            except (OSError, ValueError, OverflowError):
                continue


def hits(pid, numbers):
    """How many of the numbers stand in the memory of a process, in either order of octets."""
    wanted = {order[4:28] for number in numbers for order in (number, number[::-1])}
    found = set()
    for piece in memory_of(pid):
        found |= {number for number in wanted if number in piece}
    return len(found)


class Signer(scenario.Scenario):
    relay_settings = {"queue.retry_delays": ["1s", "1s", "2s"]}

    @classmethod
    def build_world(cls):
        identity = certificates.leaf(None, ["mx.recv.example"])
        cls.host = cls.receiving_host("mx.recv.example", "127.0.0.2", ["recv.example"], identity)
        cls.dns.add("_25._tcp.mx.recv.example", "TLSA", identity.tlsa())
        for domain in ("late", "ruled"):
            cls.dns.add_txt(f"_dmarc.{domain}.example", "v=DMARC1; p=reject")
        cls.signer = signer.Signer(cls.folder, SIGNER_USER, RELAY_USER)

    @classmethod
    def make_relay(cls):
        cls.relay_settings = {**Signer.relay_settings, **cls.signer.settings, "signer.max_signatures": 6000,
                              "signer.rule": [{"domain": "sender.example", "tenant": scenario.USER},
                                              {"domain": "ruled.example", "tenant": "shop"}]}
        made = super().make_relay()
        for key in ("state_directory", "run_directory"):
            os.chown(made.settings[key], RELAY_USER, RELAY_USER)
        os.chmod(made.folder, 0o755)
        made.user = RELAY_USER
        cls.signer.start(made.config_file, made.environment())
        cls.addClassCleanup(cls.signer.stop)
        return made

    def setUp(self):
        if self.signer.process is None:
            self.restart_signer()
        processes.wait_until(lambda: self.submit("ready@recv.example")[0] == 250, 15, "keys of the signer", interval_s=0.2)

    def restart_signer(self):
        self.signer.start(self.relay.config_file, self.relay.environment())

    def as_user(self, user, *command):
        return subprocess.run(["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", *map(str, command)],
                              capture_output=True, text=True)

    def pems(self):
        return [self.relay.ask("keys", "export", "sender.example", selector) for selector in ("s1", "s1-ed25519")]

    def assert_verifies(self, recipient):
        octets = self.host.wait_for_message(recipient).from_first_signature()
        checked = dkim.DKIM(octets)
        self.assertEqual(len(checked.headers) and octets.count(b"DKIM-Signature:"), 2)
        for index in range(2):
            self.assertTrue(dkim.DKIM(octets).verify(idx=index, dnsfunc=self.dns.lookup_txt), octets[:2000])

    # Isolation.

    def test_mail_is_signed_by_the_signer_and_verifies(self):
        self.submit_ok("signed@recv.example")
        self.assert_verifies("signed@recv.example")

    def test_the_relay_has_no_private_key_in_memory_and_the_signer_has(self):
        for number in range(5):
            self.submit_ok(f"memory{number}@recv.example")
        numbers = [number for pem in self.pems() for number in private_numbers(pem)]
        self.assertEqual(len(numbers), 1 + 6, "the seed of Ed25519; d, p, q of RSA and what is computed from them")
        self.assertEqual(hits(self.relay.process.pid, numbers), 0)
        self.assertGreater(hits(self.signer.process.pid, numbers), 0, "else this test could not find a key")

    def test_the_user_of_the_relay_cannot_open_the_keys(self):
        file = next((self.signer.folder / "keys").rglob("*.pem"))
        for command in (["ls", self.signer.folder / "keys"], ["cat", file], ["touch", self.signer.folder / "keys" / "x"]):
            answer = self.as_user(RELAY_USER, *command)
            self.assertNotEqual(answer.returncode, 0, command)
            self.assertIn("Permission denied", answer.stderr)
        self.assertEqual(self.as_user(SIGNER_USER, "cat", file).returncode, 0)

    def test_keys_on_disk_are_sealed(self):
        files = list((self.signer.folder / "keys").rglob("*.pem"))
        numbers = [number for pem in self.pems() for number in private_numbers(pem)]
        self.assertGreaterEqual(len(files), 2)
        for file in files:
            text = file.read_text()
            self.assertTrue(text.startswith("-----BEGIN WAXWING SEALED KEY-----\n"), text)
            octets = base64.b64decode("".join(text.splitlines()[1:-1]))
            self.assertEqual([number for number in numbers if number in octets], [])

    def test_nobody_else_is_heard(self):
        script = ("import sys; sys.path.insert(0, sys.argv[1]); import signer; client = signer.connect(sys.argv[2])\n"
                  "try: client.sendall(signer.frame(signer.LIST, bytes(12))); print(signer.answer(client)[0])\n"
                  "except (EOFError, OSError): print('closed')")
        for user, expected in ((STRANGER, "closed"), (RELAY_USER, "130")):
            answer = self.as_user(user, "/usr/bin/python3", "-c", script, pathlib.Path(signer.__file__).parent, self.signer.socket)
            self.assertEqual(answer.stdout.strip(), expected, answer.stderr)
        self.assertIn(f'"uid":{STRANGER}', self.signer.log())

    # A hostile relay.

    def test_garbage_ends_its_connection_and_nothing_else(self):
        chance = random.Random(4711)
        for number in range(200):
            with signer.connect(self.signer.socket) as client:
                octets = chance.randbytes(chance.randrange(1, 2000))
                if number % 2:
                    octets = signer.frame(chance.randrange(256), octets, version=chance.choice([0, 1, 2, 255]))
                try:
                    client.sendall(octets)
                    client.shutdown(socket.SHUT_WR)
                    while client.recv(65536):
                        pass
                except OSError:
                    pass
        self.assertTrue(self.signer.process.running())
        # Of a second's refusals some are only counted, so this may take another one.
        processes.wait_until(self.garbage_is_logged, 10, "a log line about garbage", interval_s=0.3)
        self.submit_ok("after-garbage@recv.example")
        self.assert_verifies("after-garbage@recv.example")

    def garbage_is_logged(self):
        with signer.connect(self.signer.socket) as client:
            client.sendall(b"GET / HTTP/1.1\r\n\r\n")
            self.assertEqual(signer.answer(client)[0], signer.REFUSED)
        return "malformed" in self.signer.log()

    def test_requests_are_pipelined_and_foreign_domains_refused(self):
        lines = [b"from:ann@%s", b"dkim-signature:v=1; a=ed25519-sha256; c=relaxed/relaxed; d=%s; s=s1-ed25519; h=from; bh=" +
                 base64.b64encode(bytes(32)) + b"; b="]
        own = b"\r\n".join(lines) % (b"sender.example", b"sender.example")
        foreign = b"\r\n".join(lines) % (b"other.example", b"sender.example")
        with signer.connect(self.signer.socket) as client:
            requests = [("sender.example", own), ("sender.example", foreign), ("other.example", own), ("sender.example", b"x" * 32)]
            client.sendall(b"".join(signer.frame(signer.SIGN, signer.sign_body(domain, "s1-ed25519", octets), number)
                                    for number, (domain, octets) in enumerate(requests)))
            answers = [signer.answer(client) for _ in requests]
        self.assertEqual([identity for _, identity, _ in answers], [0, 1, 2, 3])
        self.assertEqual([kind for kind, _, _ in answers], [signer.SIGNATURE] + 3 * [signer.REFUSED])
        self.assertEqual(len(answers[0][2]), 64)
        self.assertIn(b"its author is of other.example", answers[1][2])
        self.assertIn(b"no key", answers[2][2])
        self.assertIn("its author is of other.example", self.signer.log())

    def test_a_flood_is_refused_and_survived_and_does_not_fill_the_log(self):
        before = len(self.signer.log())
        clients = [signer.connect(self.signer.socket) for _ in range(8)]
        request = signer.frame(signer.SIGN, signer.sign_body("other.example", "s1", b"x"))
        asked = 0
        end = time.monotonic() + 5
        while time.monotonic() < end:
            for client in clients:
                client.sendall(request * 100)
            for client in clients:
                for _ in range(100):
                    self.assertEqual(signer.answer(client)[0], signer.REFUSED)
                asked += 100
        for client in clients:
            client.close()
        print(f"\n{asked} requests refused in 5 s")
        self.assertGreater(asked, 10_000)
        self.submit_ok("after-flood@recv.example")
        self.assert_verifies("after-flood@recv.example")
        self.assertLess(len(self.signer.log()) - before, 200_000)
        self.assertIn("signer_refusals_not_logged", self.signer.log())

    def test_a_client_that_does_not_read_is_not_read_from(self):
        request = signer.frame(signer.SIGN, signer.sign_body("other.example", "s1", b"x")) * 1000
        with signer.connect(self.signer.socket) as client:
            client.setblocking(False)
            sent, end = 0, time.monotonic() + 3
            while time.monotonic() < end:
                try:
                    sent += client.send(request)
                except BlockingIOError:
                    time.sleep(0.02)
            self.assertLess(sent, 8 << 20)
            self.submit_ok("beside-deaf@recv.example")
            # It is cut off in the end, so that it holds nothing for ever.
            client.setblocking(True)
            client.settimeout(30)
            processes.wait_until(lambda: self.is_cut_off(client), 30, "the end of the connection", interval_s=0.5)

    def is_cut_off(self, client):
        try:
            client.sendall(b"x")
        except (BrokenPipeError, ConnectionResetError):
            return True
        return False

    def test_connections_that_say_nothing_do_not_keep_the_relay_out(self):
        held = []
        try:
            for _ in range(300):
                held.append(signer.connect(self.signer.socket))
            self.submit_ok("crowd@recv.example")  # the relay's own connections are open already
        finally:
            for client in held:
                client.close()
        processes.wait_until(lambda: self.submit("after-crowd@recv.example")[0] == 250, 10, "acceptance after the crowd")

    def test_a_domain_over_its_limit_is_told_to_come_again(self):
        lines = b"from:ann@sender.example\r\ndkim-signature:v=1; a=ed25519-sha256; c=relaxed; d=sender.example; s=s1-ed25519; bh=" + \
            base64.b64encode(bytes(32)) + b"; b="
        request = signer.frame(signer.SIGN, signer.sign_body("sender.example", "s1-ed25519", lines))
        seen, done = set(), threading.Event()

        def use_up():
            with signer.connect(self.signer.socket) as client:
                while not done.is_set():
                    client.sendall(request * 100)
                    seen.update(signer.answer(client)[0] for _ in range(100))

        other = threading.Thread(target=use_up)
        other.start()
        try:
            processes.wait_until(lambda: signer.REFUSED in seen, 30, "a refusal")
            code, reply = self.submit("limited@recv.example")
        finally:
            done.set()
            other.join()
        self.assertEqual(code // 100, 4, reply)
        processes.wait_until(lambda: self.submit("limited@recv.example")[0] == 250, 10, "acceptance once the allowance is back")

    def test_a_domain_that_is_another_tenants_is_refused_by_the_signer_too(self):
        self.relay.create_keys("ruled.example", "s1")
        sent = lambda: self.submit("ruled@recv.example", sender="ann@ruled.example")
        code, reply = processes.wait_until(lambda: (answer := sent())[1].startswith("5.7.1 ") and answer, 30, "the signer's refusal",
                                           interval_s=0.5)
        self.assertEqual((code, "may not sign for ruled.example" in reply), (550, True), reply)

    # Losing it.

    def test_while_the_signer_is_dead_mail_is_deferred_and_nothing_is_lost(self):
        self.submit_ok("before-kill@recv.example")
        self.signer.kill()
        for number in range(3):
            code, reply = self.submit(f"dead{number}@recv.example")
            self.assertEqual(code // 100, 4, reply)
        killed = time.monotonic()
        self.restart_signer()
        up = time.monotonic()
        processes.wait_until(lambda: self.submit("alive@recv.example")[0] == 250, 10, "acceptance after the restart", interval_s=0.05)
        print(f"\nup after {up - killed:.2f} s, accepted {time.monotonic() - up:.2f} s later")
        self.assertLess(time.monotonic() - up, 2)
        self.assert_verifies("before-kill@recv.example")
        self.assert_verifies("alive@recv.example")

    def test_nothing_acknowledged_is_lost_while_the_signer_is_killed_under_load(self):
        going = load.Load(2525, scenario.USER, scenario.PASSWORD, scenario.SENDER, lambda number: f"load{number}@recv.example",
                          connections=4, pause_s=0.05)
        going.start()
        try:
            for _ in range(5):
                time.sleep(1)
                self.signer.kill()
                time.sleep(0.2)
                self.restart_signer()
            time.sleep(1)
        finally:
            going.stop()
        self.assertGreater(len(going.acknowledged), 50, going.refusals)
        self.assertEqual({reply[0] for reply in going.refusals}, {"4"}, going.refusals)
        self.relay.wait_until_delivered(120)
        delivered = {load.identity_of(message.parsed()["Message-ID"]) for message in self.host.all_messages()}
        self.assertEqual(set(going.acknowledged) - delivered, set())

    def test_a_relay_that_starts_before_the_signer_defers_until_it_is_there(self):
        self.relay.stop()
        self.signer.kill()
        self.relay.start()
        code, reply = self.submit("early@recv.example")
        self.assertEqual((code // 100, "signer" in reply), (4, True), reply)
        self.restart_signer()
        processes.wait_until(lambda: self.submit("early@recv.example")[0] == 250, 5, "acceptance once the signer is there")
        self.assert_verifies("early@recv.example")
        self.assertTrue(self.relay.events("signer_unavailable"))
        self.assertTrue(self.relay.events("signer_available"))

    def test_keys_that_are_made_sign_soon_without_being_told(self):
        self.relay.create_keys("late.example", "s1")
        processes.wait_until(lambda: self.submit("late@recv.example", sender="ann@late.example")[0] == 250, 30,
                             "acceptance once the keys were noticed", interval_s=0.5)
        self.assert_verifies("late@recv.example")

    def test_keys_of_opendkim_are_taken_over_with_what_is_published(self):
        folder = self.folder / "opendkim"
        folder.mkdir()
        lines = []
        for selector in ("mail", "mail2"):
            key = folder / f"{selector}.private"
            subprocess.run(["openssl", "genrsa", "-traditional", "-out", key, "2048"], check=True, capture_output=True)
            os.chown(key, STRANGER, STRANGER)
            key.chmod(0o600)
            public = subprocess.run(["openssl", "rsa", "-in", key, "-pubout", "-outform", "DER"], check=True, capture_output=True).stdout
            self.dns.add_txt(f"{selector}._domainkey.moved.example", f"v=DKIM1; k=rsa; p={base64.b64encode(public).decode()}")
            lines.append(f"{selector} moved.example:{selector}:{key}\n")
        self.dns.add_txt("_dmarc.moved.example", "v=DMARC1; p=reject")
        self.dns.apply()
        table = folder / "KeyTable"
        table.write_text("".join(lines))
        command = ("keys", "import", "opendkim", table)
        self.assertEqual({entry["state"] for entry in self.relay.ask_json(*command, "--dry-run")}, {"would_import"})
        self.assertNotIn("moved.example", self.relay.ask("keys", "list"))
        (folder / "mail2.private").chmod(0o644)
        refused = self.relay.command(*command)
        self.assertEqual((refused.returncode, "chmod 600" in refused.stderr), (77, True), refused.stderr)
        self.assertNotIn("moved.example", self.relay.ask("keys", "list"), "one bad key keeps the other out too")
        (folder / "mail2.private").chmod(0o600)
        self.assertEqual({entry["state"] for entry in self.relay.ask_json(*command)}, {"imported"})
        self.assertEqual({entry["state"] for entry in self.relay.ask_json(*command)}, {"already_there"})
        processes.wait_until(lambda: self.submit("moved@recv.example", sender="ann@moved.example")[0] == 250, 30,
                             "acceptance once the keys were noticed", interval_s=0.5)
        self.assert_verifies("moved@recv.example")

    def test_the_command_line_reads_the_keys_where_they_are(self):
        domains = {entry["domain"] for entry in self.relay.ask_json("keys", "list")}
        self.assertIn("sender.example", domains)
        self.assertEqual(os.stat(self.signer.folder / "keys").st_uid, SIGNER_USER)
        self.assertFalse((pathlib.Path(self.relay.settings["state_directory"]) / "keys").exists())
        answer = self.relay.command("check", "domain", "sender.example", "--json")
        self.assertIn("s1._domainkey.sender.example", json.dumps(answer.stdout))


if __name__ == "__main__":
    scenario.main()
