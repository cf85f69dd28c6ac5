"""The power goes at any moment: what was acknowledged is found again, from nothing but what was safe on the disk."""

import pathlib
import shutil
import sqlite3
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import faulty_disk
import load
import relay
import scenario

CUTS = 100


class Acknowledged(set):
    """Writes each identity of a Load into the log of the disk, among what the relay asked of it."""

    def __init__(self, disk):
        super().__init__()
        self.disk = disk

    def add(self, identity):
        super().add(identity)
        self.disk.note(identity)


class LargeNowAndThen(load.Load):
    """Some bodies are spooled."""

    def _content(self, number, identity):
        text = super()._content(number, identity)
        return text if number % 10 else text.replace(b"\r\n.\r\n", b"\r\n" + b"x" * 70 + b"\r\n" + 1100 * (b"A line of some octets to carry, and of some more than that.\r\n") + b".\r\n")


class Power(scenario.Scenario):
    relay_settings = {"queue.retry_delays": ["3600s"]}

    @classmethod
    def build_world(cls):
        cls.dns.add("nobody.example", "MX", "10 mx.nobody.example.")
        cls.dns.add("mx.nobody.example", "A", "127.0.0.9")  # where nothing listens: all of it waits

    def run_under_load(self, deaf=""):
        """A relay of its own takes mail; gives its disk and what was there before."""
        folder = self.folder / f"power{deaf}"
        folder.mkdir()
        made = relay.Relay(folder, self.dns, {"delivery.ca_file": self.ca_file, **self.relay_settings})
        state = pathlib.Path(made.settings["state_directory"])
        shutil.copytree(pathlib.Path(self.relay.settings["state_directory"]) / "keys", state / "keys")
        made.add_account(scenario.USER, scenario.PASSWORD)
        disk = faulty_disk.FaultyDisk(folder, state, deaf=deaf)
        before = faulty_disk.content_of(state)
        made.environment = lambda **more: {**relay.Relay.environment(made, **more), **disk.environment}
        self.relay.stop()
        self.addCleanup(self.relay.start)
        made.start()
        going = LargeNowAndThen(2525, scenario.USER, scenario.PASSWORD, scenario.SENDER, lambda number: f"user{number}@nobody.example",
                                connections=8)
        going.acknowledged = Acknowledged(disk)
        going.start()
        end = time.monotonic() + 60
        while len(going.acknowledged) < 400 and time.monotonic() < end:
            time.sleep(0.05)
        going.stop()
        made.stop()
        self.assertGreaterEqual(len(going.acknowledged), 400, going.refusals)
        return disk, before

    def lost_in(self, cut, number):
        """Acknowledged messages that are not there after the cut."""
        folder = self.folder / f"cut{number}"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        found = relay.Relay(folder, self.dns)
        cut.write_to(found.settings["state_directory"])
        queued = {load.identity_of(entry["message_id"]): entry["id"] for entry in found.queue()}
        with sqlite3.connect(pathlib.Path(found.settings["state_directory"]) / "queue.db") as database:
            self.assertEqual(database.execute("PRAGMA integrity_check").fetchall(), [("ok",)])
        lost = cut.notes - set(queued)
        spooled = [identity for identity in sorted(cut.notes & set(queued)) if int(identity[1:]) % 10 == 0]
        for identity in spooled[-3:]:  # the last ones were in the greatest danger
            text = found.command("queue", "export", queued[identity]).stdout
            if not text.endswith("A line of some octets to carry, and of some more than that.\n") or len(text) < 65_000:
                lost.add(identity)
        shutil.rmtree(folder)
        return lost

    def test_nothing_acknowledged_is_lost_when_the_power_goes_at_a_hundred_places(self):
        disk, before = self.run_under_load()
        seed = int(time.time())
        acknowledged, lost = 0, {}
        for number, cut in enumerate(faulty_disk.power_cuts(disk, before, CUTS, seed)):
            acknowledged = max(acknowledged, len(cut.notes))
            if missing := self.lost_in(cut, number):
                lost[number] = missing
        print(f"\nseed {seed}: {CUTS} cuts, up to {acknowledged} acknowledged, {len(lost)} of them lost some")
        self.assertEqual(lost, {}, f"seed {seed}")
        self.assertGreater(acknowledged, 300)

    def test_a_log_that_is_not_synced_is_caught(self):
        # As synchronous=NORMAL would have it: else the test above could not fail.
        disk, before = self.run_under_load(deaf="queue.db-wal")
        caught = 0
        for number, cut in enumerate(faulty_disk.power_cuts(disk, before, 20, 4711)):
            try:
                caught += bool(self.lost_in(cut, number))
            except (AssertionError, sqlite3.DatabaseError):
                caught += 1
        self.assertGreater(caught, 10)


if __name__ == "__main__":
    scenario.main()
