"""kill -9 under load: acknowledged = delivered + still queued, every time."""

import os
import pathlib
import random
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import certificates
import load
import scenario
import sink

CYCLES = int(os.environ.get("WAXWING_KILLS", "10"))


class Kill(scenario.Scenario):
    relay_settings = {"queue.retry_delays": ["1s", "1s", "1s", "2s"]}

    @classmethod
    def build_world(cls):
        identity = certificates.leaf(None, ["mx.recv.example"])
        cls.sink = sink.Sink(cls.folder, "127.0.0.2", 25, identity)
        cls.addClassCleanup(cls.sink.close)
        # Every tenth message waits, so that there is always something in the queue when the relay dies.
        cls.sink.behaviour = sink.Behaviour(rcpt=lambda address: "451 4.3.0 Not now" if address.startswith("wait") else "250 2.1.5 Ok")
        cls.dns.add("recv.example", "MX", "10 mx.recv.example.")
        cls.dns.add("mx.recv.example", "A", "127.0.0.2")
        cls.dns.add("_25._tcp.mx.recv.example", "TLSA", identity.tlsa())

    def queued(self):
        """Identities in the queue."""
        return {load.identity_of(entry["message_id"]) for entry in self.relay.queue()} - {None}

    def test_nothing_acknowledged_is_lost_when_the_relay_is_killed_again_and_again_under_load(self):
        seed = int(time.time())
        print(f"\nseed {seed}")
        moments = random.Random(seed)
        going = load.Load(2525, scenario.USER, scenario.PASSWORD, scenario.SENDER,
                          lambda number: f"{'wait' if number % 10 == 0 else 'user'}{number}@recv.example", connections=8,
                          pause_s=0.02)  # the sink, in Python, takes a few hundred messages a second
        going.start()
        try:
            for cycle in range(CYCLES):
                time.sleep(moments.uniform(0.5, 3))
                self.assertTrue(self.relay.process.running(), self.relay.log()[-3000:])
                self.relay.kill()
                seen, acknowledged = self.sink.identities(), set(going.acknowledged)
                self.relay.start()
                print(f"cycle {cycle + 1}: acknowledged {len(acknowledged)}, delivered {len(seen)}", flush=True)
        finally:
            going.stop()
        self.assertGreater(len(going.acknowledged), 200, f"hardly any load; refusals: {going.refusals}")
        self.sink.behaviour = sink.Behaviour()
        # What can be delivered is delivered; what is then still missing must be in the queue.
        self.drain()
        queued = self.queued()  # first: what leaves the queue meanwhile is then seen as delivered
        delivered = self.sink.identities()
        lost = going.acknowledged - set(delivered) - queued
        duplicates = sum(count - 1 for count in delivered.values())
        print(f"acknowledged {len(going.acknowledged)}, delivered {len(delivered)}, still queued {len(queued)}, "
              f"lost {len(lost)}, delivered twice {duplicates}")
        self.assertEqual(lost, set())
        # An attempt whose reply the kill cut off is made again: as many as were under way, not more.
        self.assertLessEqual(duplicates, CYCLES * 20)
        self.assertEqual(queued, set(), "everything can be delivered now")

    def drain(self):
        """Waits until nothing is queued, or nothing has moved for 30 s: after many kills much waits for the sink."""
        left, moved = len(self.queued()), time.monotonic()
        while left and time.monotonic() - moved < 30:
            time.sleep(1)
            now = len(self.queued())
            if now < left:
                left, moved = now, time.monotonic()

    def test_an_orderly_stop_under_load_loses_and_doubles_nothing(self):
        going = load.Load(2525, scenario.USER, scenario.PASSWORD, scenario.SENDER, lambda number: f"user{number}@recv.example",
                          connections=8, prefix="stop")
        going.start()
        try:
            for _ in range(3):
                time.sleep(1.5)
                self.relay.stop()
                self.relay.start()
        finally:
            going.stop()
        self.relay.wait_until_delivered(60)
        delivered = {identity: count for identity, count in self.sink.identities().items() if identity.startswith("stop")}
        self.assertEqual(going.acknowledged - set(delivered), set())
        self.assertEqual({identity: count for identity, count in delivered.items() if count > 1}, {})


if __name__ == "__main__":
    scenario.main()
