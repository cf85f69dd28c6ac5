"""What goes wrong on a machine: each a clear error that names the thing and the remedy, never a crash, and nothing lost."""

import os
import pathlib
import shutil
import socket
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import certificates
import load
import private_namespace
import processes
import relay
import scenario
import sink


class RefusalToStart(unittest.TestCase):
    """A relay that cannot do its work says why and ends with a status of sysexits.h."""

    EX_CONFIG = 78

    def setUp(self):
        self.folder = processes.scratch_folder("trouble")
        self.addCleanup(processes.remove_folder, self.folder)
        resolver = type("Resolver", (), {"address": "127.0.0.1", "port": 53})
        self.relay = relay.Relay(self.folder, resolver)

    def refusal(self, *words):
        """Runs the daemon, which must end by itself with an error; gives the error's text."""
        answer = self.relay.run_to_end()
        text = answer.stderr + answer.stdout
        self.assertIn(answer.returncode, range(64, 79), text)
        self.assertEqual(relay.sanitizer_complaints(text), "")
        for word in words:
            self.assertIn(word, text)
        return text

    def test_every_mistake_of_a_configuration_is_told_at_once_with_file_and_line(self):
        self.relay.config_file.write_text('hostnam = "x.example"\nworkers = "two"\n[dns]\nresolver = "192.0.2.1"\n[queue]\nlifetime = "5y"\n')
        answer = self.relay.run_to_end()
        self.assertEqual(answer.returncode, self.EX_CONFIG)
        for place in (":1:", ":2:", ":4:", ":6:"):
            self.assertIn(f"{self.relay.config_file}{place}", answer.stderr)
        self.assertIn("hostname", answer.stderr)

    def test_a_configuration_that_is_not_toml_is_refused_with_its_place(self):
        self.relay.config_file.write_text('hostname = "x.example\n')
        answer = self.relay.run_to_end()
        self.assertEqual(answer.returncode, self.EX_CONFIG)
        self.assertIn(f"{self.relay.config_file}:1:", answer.stderr)

    def test_any_octets_as_configuration_are_refused_without_a_crash(self):
        for octets in (b"", b"\0" * 100, bytes(range(256)), b"[" * 10_000, b'a = """' + b"x" * 100_000, b"\xff\xfe[\0d\0"):
            with self.subTest(octets=octets[:20]):
                self.relay.config_file.write_bytes(octets)
                command = [str(relay.build_folder() / "waxwingd"), "--check", "--config", str(self.relay.config_file)]
                answer = subprocess.run(command, env=self.relay.environment(), capture_output=True, timeout=60)
                self.assertIn(answer.returncode, (0, self.EX_CONFIG))

    def test_a_configuration_that_is_missing_is_named(self):
        self.relay.config_file.unlink()
        self.refusal(str(self.relay.config_file))

    def test_check_says_that_a_good_configuration_is_in_order(self):
        command = [str(relay.build_folder() / "waxwingd"), "--check", "--config", str(self.relay.config_file)]
        answer = subprocess.run(command, env=self.relay.environment(), capture_output=True, text=True)
        self.assertEqual(answer.returncode, 0, answer.stderr)

    def test_an_occupied_port_is_named(self):
        with socket.create_server(("127.0.0.1", 2525)):
            self.refusal("127.0.0.1", "2525")

    def test_a_signing_key_that_others_can_read_is_refused_by_name(self):
        self.relay.ask("keys", "create", "sender.example", "s1")
        key = next((self.folder / "relay" / "state").rglob("*.pem"))
        key.chmod(0o644)
        self.refusal(str(key))

    def test_a_signing_key_that_is_damaged_is_refused_by_name(self):
        self.relay.ask("keys", "create", "sender.example", "s1")
        key = next((self.folder / "relay" / "state").rglob("*.pem"))
        key.write_text("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
        self.refusal(str(key))

    def test_a_listener_key_that_belongs_to_another_certificate_is_refused(self):
        chain, _ = certificates.leaf(None, ["a.example"]).write(self.folder, "a")
        _, key = certificates.leaf(None, ["b.example"]).write(self.folder, "b")
        self.relay.listeners = [{"name": "submission", "address": "127.0.0.1", "port": 2587, "tls": "starttls",
                                 "certificate_file": chain, "key_file": key}]
        self.relay.write_configuration()
        self.refusal(key)

    def test_a_state_directory_that_cannot_be_written_is_named(self):
        state = self.folder / "relay" / "state"
        state.rmdir()
        state.write_text("a file in its place")
        self.refusal(str(state))

    def test_a_second_relay_on_the_same_state_is_refused(self):
        self.relay.start()
        self.addCleanup(self.relay.stop)
        second = relay.Relay(self.folder, self.relay.dns, {"state_directory": self.relay.settings["state_directory"]},
                             [{"name": "local", "address": "127.0.0.1", "port": 2626, "tls": "none"}], name="second")
        answer = second.run_to_end()
        self.assertIn(answer.returncode, range(64, 79))
        self.assertIn(str(self.relay.settings["state_directory"]), answer.stderr)

    def test_a_damaged_queue_is_never_taken_for_an_empty_one(self):
        self.relay.start()
        self.relay.stop()
        for file in (self.folder / "relay" / "state").rglob("*"):
            if file.is_file() and file.read_bytes()[:15] == b"SQLite format 3":
                file.write_bytes(b"SQLite format 3\0" + os.urandom(8192))
                shutil.rmtree(f"{file}-wal", ignore_errors=True)
                self.refusal(file.name)
                return
        self.fail("there is no database in the state directory")


class MissingResolver(scenario.Scenario):
    @classmethod
    def build_world(cls):
        identity = certificates.leaf(None, ["mx.recv.example"])
        cls.sink = sink.Sink(cls.folder, "127.0.0.2", 25, identity)
        cls.addClassCleanup(cls.sink.close)
        cls.dns.add("recv.example", "MX", "10 mx.recv.example.")
        cls.dns.add("mx.recv.example", "A", "127.0.0.2")
        cls.dns.add("_25._tcp.mx.recv.example", "TLSA", identity.tlsa())

    def test_mail_waits_for_a_resolver_that_is_gone_and_goes_when_it_is_back(self):
        self.sink.behaviour = sink.Behaviour(rcpt="451 4.3.0 Not now")
        self.submit_ok("one@recv.example")
        self.relay.wait_for_state("one@recv.example", "deferred")
        self.dns.stop()
        time.sleep(4)  # until answers and connections that are kept have gone
        self.sink.behaviour = sink.Behaviour()
        entry = self.relay.queue_entry("one@recv.example")
        self.relay.command("queue", "retry", entry["id"])
        processes.wait_until(lambda: self.relay.queue_entry("one@recv.example")["attempts"] > entry["attempts"], 60, "an attempt",
                             interval_s=0.5)
        entry = self.relay.queue_entry("one@recv.example")
        self.assertEqual(entry["state"], "deferred", entry)
        self.assertEqual(self.sink.identities().total(), 0)
        self.dns.start()
        self.relay.ask("queue", "retry", entry["id"])
        self.relay.wait_until_delivered(60)

    def test_a_relay_starts_without_its_resolver_says_so_and_loses_nothing(self):
        self.relay.stop()
        self.dns.stop()
        before = len(self.relay.log())
        self.relay.start()
        code, _ = self.submit("two@recv.example")
        self.assertIn(code // 100, (2, 4))
        processes.wait_until(lambda: "127.0.0.1" in self.relay.log()[before:] and "resolver" in self.relay.log()[before:].lower(), 60,
                             "a log line that names the resolver")
        self.dns.start()
        if code == 250:
            entry = self.relay.queue_entry("two@recv.example")
            if entry:
                self.relay.command("queue", "retry", entry["id"])
            self.relay.wait_until_delivered(90)


class FullDisk(scenario.Scenario):
    """The state directory is a disk of 48 MB."""

    @classmethod
    def build_world(cls):
        identity = certificates.leaf(None, ["mx.recv.example"])
        cls.sink = sink.Sink(cls.folder, "127.0.0.2", 25, identity)
        cls.addClassCleanup(cls.sink.close)
        cls.sink.behaviour = sink.Behaviour(rcpt="451 4.3.0 Not now")
        cls.dns.add("recv.example", "MX", "10 mx.recv.example.")
        cls.dns.add("mx.recv.example", "A", "127.0.0.2")
        cls.dns.add("_25._tcp.mx.recv.example", "TLSA", identity.tlsa())

    @classmethod
    def make_relay(cls):
        state = cls.folder / "small-disk"
        private_namespace.mount_small_disk(state, 48 << 20)
        cls.addClassCleanup(private_namespace.unmount, state)
        cls.relay_settings = {"state_directory": state / "state", "limits.max_message_octets": 1 << 20,
                              "queue.retry_delays": ["2s"]}
        return super().make_relay()

    def fill(self):
        """Submits until the relay refuses for lack of room, and some seconds longer; gives the load with its ledger."""
        filling = load.Load(2525, scenario.USER, scenario.PASSWORD, scenario.SENDER, lambda number: f"user{number}@recv.example",
                            connections=4)
        filling.size_lines = 1800
        filling.start()
        try:
            processes.wait_until(lambda: any(text.startswith(("452", "421", "451")) for text in filling.refusals), 120,
                                 "a refusal because the disk is full", interval_s=0.2)
            time.sleep(3)
        finally:
            filling.stop()
        return filling

    def wait_for_all(self, filling):
        self.sink.behaviour = sink.Behaviour()
        try:
            processes.wait_until(lambda: filling.acknowledged <= set(self.sink.identities()), 90, "delivery of all", interval_s=0.5)
        except AssertionError as error:
            raise AssertionError(f"{error}: {len(filling.acknowledged)} acknowledged, {len(self.sink.identities())} delivered; "
                                 f"log:\n{self.relay.log()[-3000:]}") from None
        self.relay.wait_until_delivered(60)

    def test_a_full_disk_is_a_temporary_refusal_and_everything_acknowledged_is_delivered(self):
        filling = self.fill()
        self.assertTrue(self.relay.process.running(), self.relay.log()[-3000:])
        self.assertTrue(any(text.startswith("452 4.3.1") for text in filling.refusals), filling.refusals)
        self.assertEqual([text for text in filling.refusals if text.startswith("5")], [])
        self.assertGreater(len(filling.acknowledged), 20)
        self.wait_for_all(filling)
        self.submit_ok("after@recv.example")

    def test_a_disk_that_others_have_filled_is_recovered_from_once_there_is_room(self):
        self.sink.behaviour = sink.Behaviour(rcpt="451 4.3.0 Not now")
        self.submit_ok("before@recv.example")
        ballast = self.folder / "small-disk" / "ballast"
        try:
            with open(ballast, "wb") as file:
                while True:
                    file.write(b"x" * (1 << 16))
                    file.flush()
        except OSError:
            pass
        code, reply = self.submit("during@recv.example")
        self.assertEqual(code, 452, reply)
        self.assertTrue(self.relay.process.running())
        ballast.unlink()
        self.sink.behaviour = sink.Behaviour()
        processes.wait_until(lambda: self.submit("after@recv.example")[0] == 250, 30, "acceptance with room again", interval_s=0.5)
        for entry in self.relay.queue():
            self.relay.command("queue", "retry", entry["id"])
        processes.wait_until(lambda: {"before@recv.example", "after@recv.example"} <= {
            recipient for message in self.sink.received for recipient in message.recipients}, 30, "delivery of both")


if __name__ == "__main__":
    scenario.main()
