"""Keys change hands on evidence: real name servers that lag, break and are stale, and mail that flows all the time."""

import os
import pathlib
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import certificates
import debian_unpack
import dkim
import name_servers
import scenario
import signer
from processes import wait_until

ADDRESS = {"bind": "127.0.0.20", "knot": "127.0.0.21", "other": "127.0.0.22"}
DMARC = '_dmarc IN TXT "v=DMARC1; p=reject"'
RELAY_USER, SIGNER_USER, STRANGER = 60101, 60102, 60103
SLOTS = [f"wx{number}{suffix}" for number in range(1, 5) for suffix in ("", "-ed25519")]


class Flow:
    """Mail that is sent all the time, each message verified by dkimpy with what every name server has as it arrives."""

    def __init__(self, test, sender, recipient):
        self.test, self.sender, self.recipient = test, sender, recipient
        self.sent = self.verified = 0
        self.selectors = []  # as they came into use
        self.failures = []
        self._checked = 0
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._send), threading.Thread(target=self._verify)]
        for thread in self._threads:
            thread.start()

    def _send(self):
        while not self._ended.is_set():
            code, reply = self.test.submit(self.recipient, sender=self.sender)
            if code == 250:
                self.sent += 1
            else:
                self.failures.append(f"not accepted: {code} {reply}")
            self._ended.wait(0.1)

    def _verify(self):
        while not self._ended.is_set():
            self.check_new()
            self._ended.wait(0.1)

    def check_new(self):
        messages = self.test.host.messages(self.recipient)
        for message in messages[self._checked:]:
            self._checked += 1
            self._check(message)

    def _check(self, message):
        wire = message.from_first_signature()
        signatures = message.parsed().get_all("DKIM-Signature") or []
        if len(signatures) != 2:
            self.failures.append(f"{len(signatures)} signatures")
        for index in range(len(signatures)):
            verifier = dkim.DKIM(wire)
            for server in (self.test.bind, self.test.knot):
                if server.process is None:
                    continue
                try:
                    if not verifier.verify(idx=index, dnsfunc=lambda name, timeout=5, at=server: self._lookup(at, name)):
                        self.failures.append(f"{verifier.selector} fails at {server.name}")
                except dkim.DKIMException as error:
                    self.failures.append(f"{verifier.selector} fails at {server.name}: {error}")
            selector = verifier.selector.decode()
            if not selector.endswith("-ed25519") and selector not in self.selectors:
                self.selectors.append(selector)
        self.verified += 1

    def _lookup(self, server, name):
        asked = name.decode().rstrip(".")
        texts = server.ask_txt(asked)
        if texts is None:  # it broke, or has just come back: verifiers ask another then
            texts = self.test.bind.ask_txt(asked)
        return texts[0].encode() if texts else None

    def end(self):
        """Waits for what is under way, and gives how many messages were verified; none may have failed."""
        self._ended.set()
        for thread in self._threads:
            thread.join()
        self.test.relay.wait_until_delivered()
        wait_until(lambda: len(self.test.host.messages(self.recipient)) >= self.sent, 30, "all messages")
        self.check_new()
        self.test.assertEqual(self.failures, [])
        self.test.assertEqual(self.verified, self.sent)
        return self.verified


class Rotation(scenario.Scenario):
    relay_settings = {"rotation.publish": "update", "rotation.update_server": "127.0.0.20:53", "rotation.ttl": "1s",
                      "rotation.in_flight": "2s", "rotation.delegation_zone": "dkim.rotor.example"}

    @classmethod
    def build_world(cls):
        cls.key = name_servers.TsigKey("waxwing")
        servers = {"ns1.rotor.example": ADDRESS["bind"], "ns2.rotor.example": ADDRESS["knot"]}
        zones = {"rotor.example": name_servers.zone_text("rotor.example", servers, [
            DMARC, 's9._domainkey IN TXT "somebody else\'s"', "_dmarc.now IN TXT \"v=DMARC1; p=reject\"",
            "_dmarc.hand IN TXT \"v=DMARC1; p=reject\""])}
        customer = [DMARC] + [f"{slot}._domainkey IN CNAME {slot}._domainkey.customer.example.dkim.rotor.example." for slot in SLOTS]
        zones["customer.example"] = name_servers.zone_text("customer.example", servers, customer).replace(
            "ns1.rotor.example. IN A 127.0.0.20\n", "").replace("ns2.rotor.example. IN A 127.0.0.21\n", "")
        cls.bind = name_servers.Bind(cls.folder, ADDRESS["bind"], zones, [cls.key]).start()
        cls.addClassCleanup(cls.bind.stop)
        cls.knot = name_servers.Knot(cls.folder, ADDRESS["knot"], secondary_of=dict.fromkeys(zones, ADDRESS["bind"])).start()
        cls.addClassCleanup(cls.knot.stop)
        cls.other_key = name_servers.TsigKey("other", "hmac-sha512")
        cls.other = name_servers.Knot(cls.folder, ADDRESS["other"], {"knot.example": name_servers.zone_text(
            "knot.example", {"ns1.knot.example": ADDRESS["other"]}, [DMARC])}, keys=[cls.other_key], name="other").start()
        cls.addClassCleanup(cls.other.stop)
        for apex in zones:
            for name in servers:
                cls.dns.add(apex, "NS", f"{name}.")
        for name, address in {**servers, "ns1.knot.example": ADDRESS["other"]}.items():
            cls.dns.add(name, "A", address)
        cls.dns.add("knot.example", "NS", "ns1.knot.example.")
        cls.host = cls.receiving_host("mx.recv.example", "127.0.0.2", ["recv.example"], certificates.leaf(None, ["mx.recv.example"]))

    @classmethod
    def make_relay(cls):
        cls.relay_settings = {**cls.relay_settings, "rotation.tsig_key_file": cls.key.write(cls.folder / "tsig.key")}
        return super().make_relay()

    # What tests do.

    def phases(self, domain):
        """{selector: state} of the RSA keys of a domain, the youngest of each name."""
        return {key["selector"]: key["state"] for key in self.relay.ask_json("keys", "show", domain)
                if key["algorithm"] == "rsa"}

    def with_settings(self, **settings):
        """Other settings for the command line, until the end of the test."""
        before = dict(self.relay.settings)
        self.relay.settings.update({f"rotation.{name}": value for name, value in settings.items()})
        self.relay.write_configuration()

        def restore():
            self.relay.settings = before
            self.relay.write_configuration()

        self.addCleanup(restore)

    def settle(self, domain):
        """Lets the secondary catch up while the keys of a domain become ready."""
        done = threading.Event()

        def refresh():
            while not done.wait(0.3):
                self.knot.refresh()

        helper = threading.Thread(target=refresh)
        helper.start()
        try:
            return self.relay.ask("keys", "publish", domain, "--wait", "--timeout", "90")
        finally:
            done.set()
            helper.join()

    def carry_on(self, domain):
        return self.relay.command("keys", "publish", domain)

    def test_a_full_rotation_while_mail_flows_and_servers_lag_break_and_are_stale(self):
        domain = "rotor.example"
        self.relay.ask("keys", "create", domain)
        first = next(iter(self.phases(domain)))
        self.assertEqual(set(self.phases(domain).values()), {"pending"})  # the secondary lags
        self.assertEqual(len(self.bind.ask_txt(f"{first}._domainkey.{domain}")), 1)
        self.assertEqual(self.knot.ask_txt(f"{first}._domainkey.{domain}"), [])
        self.assertNotEqual(self.submit("early@recv.example", sender=f"ann@{domain}")[0], 250)  # nothing signs yet
        self.settle(domain)
        self.assertEqual(self.phases(domain)[first], "active")
        second = next(selector for selector, state in self.phases(domain).items() if state == "ready")
        time.sleep(1.5)  # what preflight remembers of the time before
        flow = Flow(self, f"ann@{domain}", "flow@recv.example")
        wait_until(lambda: flow.verified > 3, 30, "mail")

        self.relay.ask("keys", "rotate", domain)
        third = next(selector for selector, state in self.phases(domain).items() if state == "pending")
        for _ in range(3):  # a stale server holds it up
            self.carry_on(domain)
            self.assertEqual(self.phases(domain)[third], "pending")
        self.knot.freeze()  # and so does a broken one
        self.carry_on(domain)
        self.assertEqual(self.phases(domain)[third], "pending")
        self.assertEqual(self.phases(domain)[first], "active")
        self.knot.start()
        self.settle(domain)
        self.assertEqual(self.phases(domain)[second], "active")
        wait_until(lambda: second in flow.selectors, 30, "mail signed with the new key")

        # The old record goes when nothing is under way, and is gone only when the stale server has forgotten it too.
        wait_until(lambda: self.carry_on(domain) and not self.bind.ask_txt(f"{first}._domainkey.{domain}"), 60, "withdrawal")
        self.assertEqual(self.phases(domain)[first], "retiring")
        self.assertTrue(self.knot.ask_txt(f"{first}._domainkey.{domain}"))
        self.knot.refresh()
        wait_until(lambda: self.carry_on(domain) and self.phases(domain)[first] == "destroyed", 60, "the end of the first key")
        keys = pathlib.Path(self.relay.settings["state_directory"]) / "keys" / domain
        self.assertEqual(sorted(file.name for file in keys.iterdir()),
                         sorted(f"{selector}{suffix}.pem" for selector in (second, third) for suffix in ("", "-ed25519")))
        count = flow.end()
        self.assertEqual(flow.selectors, [first, second])
        log = self.relay.ask_json("keys", "log", domain)
        self.assertEqual([entry["to"] for entry in log if entry["selector"] == first and entry["from"] != entry["to"]],
                         ["published", "ready", "active", "retiring", "withdrawn", "destroyed"])
        self.assertIn("ns2.rotor.example 127.0.0.21 over TCP has it", " ".join(entry["evidence"] for entry in log))
        self.assertEqual(self.relay.command("keys", "check", domain).returncode, 0, self.relay.command("keys", "check", domain).stdout)
        print(f"\nrotation: {count} messages verified at each name server, none failed")

    def test_an_emergency_rotation_takes_the_standby_at_once(self):
        domain = "now.rotor.example"
        self.relay.ask("keys", "create", domain)
        self.settle(domain)
        states = self.phases(domain)
        active = next(selector for selector, state in states.items() if state == "active")
        standby = next(selector for selector, state in states.items() if state == "ready")
        time.sleep(1.5)
        flow = Flow(self, f"ann@{domain}", "now@recv.example")
        wait_until(lambda: flow.verified > 2, 30, "mail")
        began = time.monotonic()
        switched = []

        def watch():
            while standby not in flow.selectors and time.monotonic() - began < 30:
                time.sleep(0.01)
            switched.append(time.monotonic() - began)

        watcher = threading.Thread(target=watch)
        watcher.start()
        self.relay.ask("keys", "revoke", domain, active)
        watcher.join()
        self.assertEqual(self.bind.ask_txt(f"{active}._domainkey.{domain}"), ["v=DKIM1; p="])
        self.assertIn(standby, flow.selectors)
        # Messages of the revoked key fail from now on, as they should.
        flow.failures = [failure for failure in flow.failures if active not in failure]
        flow.end()
        print(f"\nrotation: emergency, {switched[0]:.2f} s from the command to the delivery of a message signed with the standby")

    def test_a_customer_publishes_cnames_once(self):
        printed = self.relay.ask("keys", "create", "customer.example", "--delegate")
        for slot in SLOTS:
            self.assertIn(f"{slot}._domainkey.customer.example. 1 IN CNAME "
                          f"{slot}._domainkey.customer.example.dkim.rotor.example.", printed)
        self.settle("customer.example")
        time.sleep(1.5)
        flow = Flow(self, "ann@customer.example", "customer@recv.example")
        wait_until(lambda: flow.verified > 2, 30, "mail")
        self.relay.ask("keys", "rotate", "customer.example")
        self.settle("customer.example")
        wait_until(lambda: "wx2" in flow.selectors, 30, "mail signed with the next slot")
        flow.end()
        self.assertEqual(flow.selectors, ["wx1", "wx2"])

    def test_keys_made_by_hand_sign_as_ever_and_rotate_from_there(self):
        domain = "hand.rotor.example"
        self.relay.ask("keys", "create", domain, "s1")
        self.assertIn("active", {key["state"] for key in self.relay.ask_json("keys", "list") if key["domain"] == domain})
        answer = self.relay.command("keys", "check", domain)
        self.assertEqual(answer.returncode, 1)
        self.assertIn("does not have it", answer.stdout)
        self.assertEqual(self.relay.command("keys", "show", domain).returncode, 66)
        self.relay.ask("keys", "dns", domain, "--format", "nsupdate")
        # Rotating begins a life cycle. The record is missing, so that this key signs no more until it is there.
        answer = self.relay.command("keys", "rotate", domain)
        self.assertEqual(answer.returncode, 1)
        self.assertIn("the records of the active key are not in order", answer.stdout)
        self.settle(domain)
        self.assertEqual(self.phases(domain)["s1"], "retiring")
        self.assertIn("active", self.phases(domain).values())

    def test_somebody_elses_record_stays_and_is_told_about(self):
        self.relay.ask("keys", "create", "foreign.rotor.example")
        before = self.bind.ask_txt("s9._domainkey.rotor.example")
        answer = self.relay.command("keys", "create", "rotor.example", "s9", "--algorithm", "rsa")
        if answer.returncode == 0:  # made by hand, since this test came first
            answer = self.relay.command("keys", "rotate", "rotor.example")
        self.assertEqual(answer.returncode, 1, answer.stdout + answer.stderr)
        self.assertIn("not ours to touch", answer.stdout)
        self.assertEqual(self.bind.ask_txt("s9._domainkey.rotor.example"), before)
        self.relay.command("keys", "revoke", "rotor.example", "s9")
        self.assertEqual(self.bind.ask_txt("s9._domainkey.rotor.example"), before)

    def test_knot_takes_updates_too(self):
        self.with_settings(update_server="127.0.0.22:53", tsig_key_file=self.other_key.write(self.folder / "other.key"))
        self.relay.ask("keys", "create", "knot.example")
        self.relay.ask("keys", "publish", "knot.example", "--wait", "--timeout", "60")
        states = self.phases("knot.example")
        self.assertEqual(sorted(states.values()), ["active", "ready"])
        active = next(selector for selector, state in states.items() if state == "active")
        self.relay.ask("keys", "revoke", "knot.example", active)
        self.assertEqual(self.other.ask_txt(f"{active}._domainkey.knot.example"), ["v=DKIM1; p="])

    def test_what_goes_wrong_is_said_with_the_remedy_and_changes_nothing(self):
        wrong = name_servers.TsigKey("waxwing")
        unknown = name_servers.TsigKey("nobody")
        world_readable = self.folder / "readable.key"
        self.key.write(world_readable)
        world_readable.chmod(0o644)
        cases = {
            "secret": ({"tsig_key_file": wrong.write(self.folder / "wrong.key")}, "BADSIG", 1),
            "key": ({"tsig_key_file": unknown.write(self.folder / "unknown.key")}, "BADKEY", 1),
            "mode": ({"tsig_key_file": str(world_readable)}, "chmod 600", 77),
            "server": ({"update_server": "127.0.0.99:53"}, "rotation.update_server", 1),
            "zone": ({"update_server": "127.0.0.22:53"}, "has no zone for", 1),
        }
        for name, (settings, words, status) in cases.items():
            with self.subTest(case=name):
                domain = f"{name}.wrong.rotor.example"
                self.with_settings(**settings)
                answer = self.relay.command("keys", "create", domain)
                self.assertEqual(answer.returncode, status, answer.stdout + answer.stderr)
                self.assertIn(words, answer.stdout + answer.stderr)
                if status == 1:
                    self.assertEqual(set(self.phases(domain).values()), {"pending"})
                self.doCleanups()
        answer = self.relay.command("keys", "rotate", "nokeys.rotor.example")
        self.assertEqual(answer.returncode, 66)
        self.assertIn("waxwing keys create", answer.stderr)
        self.relay.ask("keys", "create", "twice.rotor.example")
        answer = self.relay.command("keys", "create", "twice.rotor.example")
        self.assertEqual(answer.returncode, 73, answer.stderr)
        answer = self.relay.command("keys", "rotate", "twice.rotor.example", "--now")
        self.assertEqual(answer.returncode, 77)
        self.assertIn("no standby", answer.stderr)



class RotationByTheSignersUser(scenario.Scenario):
    """Keys of a user that may not look into the queue, and has to know what it still needs."""

    relay_settings = {"rotation.publish": "update", "rotation.update_server": "127.0.0.20:53", "rotation.ttl": "1s",
                      "rotation.in_flight": "1s"}

    @classmethod
    def build_world(cls):
        cls.key = name_servers.TsigKey("waxwing")
        zone = name_servers.zone_text("apart.example", {"ns1.apart.example": ADDRESS["bind"]}, [DMARC])
        cls.bind = name_servers.Bind(cls.folder, ADDRESS["bind"], {"apart.example": zone}, [cls.key]).start()
        cls.addClassCleanup(cls.bind.stop)
        cls.dns.add("apart.example", "NS", "ns1.apart.example.")
        cls.dns.add("ns1.apart.example", "A", ADDRESS["bind"])
        cls.dns.add("nobody.example", "MX", "10 mx.nobody.example.")
        cls.dns.add("mx.nobody.example", "A", "127.0.0.9")  # where nothing listens
        cls.signer = signer.Signer(cls.folder, SIGNER_USER, RELAY_USER)

    @classmethod
    def make_relay(cls):
        secret = cls.key.write(cls.folder / "tsig.key")
        os.chown(secret, SIGNER_USER, SIGNER_USER)
        cls.relay_settings = {**cls.relay_settings, **cls.signer.settings, "rotation.tsig_key_file": secret,
                              "signer.user": str(SIGNER_USER)}
        made = super().make_relay()
        for key in ("state_directory", "run_directory"):
            os.chown(made.settings[key], RELAY_USER, RELAY_USER)
        os.chmod(made.settings["run_directory"], 0o755)
        os.chmod(made.folder, 0o755)
        made.user = RELAY_USER
        cls.signer.start(made.config_file, made.environment())
        cls.addClassCleanup(cls.signer.stop)
        return made

    def as_user(self, user, *command):
        return subprocess.run(["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", *map(str, command)],
                              capture_output=True, text=True, env=self.relay.environment())

    def carry_on(self):
        return self.as_user(SIGNER_USER, scenario.relay.build_folder() / "waxwing", "--config", self.relay.config_file, "keys", "rotate")

    def phase(self, selector):
        return next(key["state"] for key in self.relay.ask_json("keys", "show", "apart.example") if key["selector"] == selector)

    def needed_keys(self, user):
        script = ("import socket, sys; client = socket.socket(socket.AF_UNIX); client.connect(sys.argv[1])\n"
                  "try: client.sendall(b'{\"command\":\"needed keys\"}\\n')\nexcept OSError: pass\n"
                  "print(client.recv(65536).decode())")
        return self.as_user(user, "/usr/bin/python3", "-c", script, pathlib.Path(self.relay.settings["run_directory"]) / "needed-keys").stdout

    def test_an_old_key_stays_as_long_as_the_queue_needs_it(self):
        self.relay.ask("keys", "create", "apart.example")
        self.relay.ask("keys", "publish", "apart.example", "--wait", "--timeout", "60")
        first = next(key["selector"] for key in self.relay.ask_json("keys", "show", "apart.example") if key["state"] == "active")
        wait_until(lambda: self.submit("waits@nobody.example", sender="ann@apart.example")[0] == 250, 30, "signatures")
        standby = next(key["selector"] for key in self.relay.ask_json("keys", "show", "apart.example")
                       if key["state"] == "ready" and key["algorithm"] == "rsa")
        began = time.monotonic()
        self.relay.ask("keys", "rotate", "apart.example", "--now")
        wait_until(lambda: self.submit("waits@nobody.example", sender="ann@apart.example")[0] == 250
                   and f"{standby}._domainkey.apart.example" in self.needed_keys(RELAY_USER), 30, "mail signed with the standby")
        print(f"\nrotation --now: {time.monotonic() - began:.2f} s from the command to a message in the queue that is signed with the standby")
        self.assertEqual(self.phase(first), "retiring")

        name = f"{first}._domainkey.apart.example"
        for user, heard in ((RELAY_USER, True), (SIGNER_USER, True), (STRANGER, False)):
            answer = self.needed_keys(user)
            self.assertEqual(name in answer, heard, answer)
            self.assertEqual("only root, the user of waxwingd and signer.user" in answer, not heard, answer)
        denied = self.as_user(SIGNER_USER, scenario.relay.build_folder() / "waxwing", "--config", self.relay.config_file, "queue", "list")
        self.assertEqual(denied.returncode, 77, denied.stdout)
        for _ in range(3):
            time.sleep(1)
            answer = self.carry_on()
            self.assertEqual(answer.returncode, 0, answer.stdout + answer.stderr)
            self.assertEqual(self.phase(first), "retiring")
        self.assertTrue(self.bind.ask_txt(name))

        self.relay.stop()
        answer = self.carry_on()
        self.assertEqual(answer.returncode, 1, answer.stdout + answer.stderr)
        self.assertIn("start waxwingd", answer.stdout)
        self.assertEqual(self.phase(first), "retiring")
        self.relay.start()

        self.drop_queue()
        wait_until(lambda: self.carry_on() and not self.bind.ask_txt(name), 30, "withdrawal")
        wait_until(lambda: self.carry_on() and self.phase(first) == "destroyed", 30, "the end of the old key", interval_s=0.5)


if __name__ == "__main__":
    scenario.main([lambda: debian_unpack.unpack("bind9"), lambda: debian_unpack.unpack("knot")])
