"""A damaged queue: what can be read of it is put into a new one, which a relay takes over and delivers."""

import json
import pathlib
import random
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import certificates
import processes
import scenario
import sink
import stock_clients

MESSAGES, PAGE_OCTETS = 12, 4096


class Salvage(scenario.Scenario):
    relay_settings = {"queue.retry_delays": ["3600s"]}

    @classmethod
    def build_world(cls):
        cls.identity = certificates.leaf(None, ["mx.later.example"])
        cls.dns.add("mx.later.example", "A", "127.0.0.3")  # listens when the queue has been rescued
        cls.dns.add("_25._tcp.mx.later.example", "TLSA", cls.identity.tlsa())
        cls.dns.add("later.example", "MX", "10 mx.later.example.")

    def fill(self):
        """Messages that wait, one of them with a body in the spool; gives {queue id: recipient}."""
        ids = {}
        for number in range(MESSAGES):
            recipient = f"r{number}@later.example"
            body = "All work and no play.\r\n" * (10_000 if number == 5 else 40 * number)
            text = stock_clients.message(scenario.SENDER, recipient, body=body)
            ids[self.submit_ok(recipient, text=text)] = recipient
        self.assert_deferred("r0@later.example")
        return ids

    def damage(self, state):
        """Overwrites pages of the database, the first among them, with noise."""
        path, noise = state / "queue.db", random.Random(11)
        octets = bytearray(path.read_bytes())
        for page in [0, *noise.sample(range(1, len(octets) // PAGE_OCTETS), 4)]:
            octets[page * PAGE_OCTETS:(page + 1) * PAGE_OCTETS] = noise.randbytes(PAGE_OCTETS)
        path.write_bytes(octets)

    def test_what_is_not_damaged_is_rescued_and_delivered_and_the_rest_is_named(self):
        ids = self.fill()
        old = pathlib.Path(self.relay.settings["state_directory"])
        refused = self.relay.command("queue", "salvage", "--state-directory", old, "--to", self.folder / "early")
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("stop waxwingd first", refused.stderr)
        self.relay.stop()
        self.damage(old)
        shutil.rmtree(old.with_name("damaged"), ignore_errors=True)
        old.rename(old.with_name("damaged"))
        done = self.relay.command("queue", "salvage", "--state-directory", old.with_name("damaged"), "--to", old, "--json")
        report = json.loads(done.stdout)
        self.assertEqual(done.returncode, 1 if report["lost"] else 0)
        self.assertNotEqual(report["integrity"], ["ok"])
        self.assertGreater(report["messages"], 0)
        lost = {message["id"] for message in report["lost"]}
        self.relay.start()
        rescued = {entry["id"]: entry for entry in self.relay.queue()}
        self.assertEqual(len(rescued), report["messages"])
        self.assertLessEqual(set(rescued), set(ids))
        self.assertLessEqual(lost, set(ids))
        host = sink.Sink(self.folder, "127.0.0.3", 25, self.identity)
        self.addCleanup(host.close)
        for command in ("release", "retry"):  # what may have been delivered is held
            self.relay.ask("queue", command, "--all", "--reason", "rescued")
        self.relay.wait_until_delivered()
        arrived = sorted(recipient for message in host.received for recipient in message.recipients)
        self.assertEqual(arrived, sorted(ids[queue_id] for queue_id in rescued))
        if any(entry["recipient"] == "r5@later.example" for entry in rescued.values()):
            large = next(message for message in host.received if "r5@later.example" in message.recipients)
            self.assertEqual(large.octets.count(b"All work and no play."), 10_000)
        processes.wait_until(lambda: not self.relay.queue(), 10, "an empty queue")


if __name__ == "__main__":
    scenario.main()
