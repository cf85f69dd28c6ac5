"""A disk whose calls fail: what was acknowledged stays, what cannot be kept is refused, and all goes on when the disk does."""

import errno
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import certificates
import faulty_disk
import load
import relay
import scenario
import sink
from faulty_disk import FAIL_NAME, FAIL_SYNC, FAIL_WRITE, SHORT_WRITE
from processes import wait_until
from stock_clients import message

FAULTS = {
    "writes fail with EIO": (FAIL_WRITE, errno.EIO),
    "writes fail with ENOSPC": (FAIL_WRITE, errno.ENOSPC),
    "syncs fail with EIO": (FAIL_SYNC, errno.EIO),
    "syncs fail with ENOSPC": (FAIL_SYNC, errno.ENOSPC),
    "files cannot be made or named": (FAIL_NAME, errno.ENOSPC),
    "writes are cut short": (SHORT_WRITE, 0),
    "everything fails": (FAIL_WRITE | FAIL_SYNC | FAIL_NAME | SHORT_WRITE, errno.EIO),
}


class DiskFaults(scenario.Scenario):
    relay_settings = {"queue.retry_delays": ["1s", "1s", "1s", "2s"]}

    @classmethod
    def build_world(cls):
        identity = certificates.leaf(None, ["mx.recv.example"])
        cls.sink = sink.Sink(cls.folder, "127.0.0.2", 25, identity)
        cls.addClassCleanup(cls.sink.close)
        # Some messages wait, so that the store is written for more than what comes in.
        cls.sink.behaviour = sink.Behaviour(rcpt=lambda address: "451 4.3.0 Not now" if address.startswith("wait") else "250 2.1.5 Ok")
        cls.dns.add("recv.example", "MX", "10 mx.recv.example.")
        cls.dns.add("mx.recv.example", "A", "127.0.0.2")
        cls.dns.add("_25._tcp.mx.recv.example", "TLSA", identity.tlsa())

    @classmethod
    def make_relay(cls):
        made = super().make_relay()
        cls.disk = faulty_disk.FaultyDisk(cls.folder, made.settings["state_directory"], log=False)
        plain = made.environment
        made.environment = lambda **more: {**plain(**more), **(cls.disk.environment if "NOTIFY_SOCKET" in more else {})}
        return made

    def recipient(self, number):
        return f"{'wait' if number % 5 == 0 else 'user'}{number}@recv.example"

    def account_for(self, going):
        """Everything that was acknowledged is delivered in the end; gives how often something was delivered once more."""
        behaviour, self.sink.behaviour = self.sink.behaviour, sink.Behaviour()
        try:
            end = time.monotonic() + 120
            while time.monotonic() < end and not going.acknowledged <= set(self.sink.identities()):
                time.sleep(0.5)
        finally:
            self.sink.behaviour = behaviour
        delivered = self.sink.identities()
        self.assertEqual(going.acknowledged - set(delivered), set())
        return sum(count - 1 for identity, count in delivered.items() if identity in going.acknowledged)

    def test_nothing_acknowledged_is_lost_while_calls_fail_now_and_then_and_for_a_while(self):
        going = load.Load(2525, scenario.USER, scenario.PASSWORD, scenario.SENDER, self.recipient, connections=6, pause_s=0.02)
        going.start()
        try:
            for name, (faults, error) in FAULTS.items():
                with self.subTest(fault=name):
                    self.disk.heal()
                    start = len(going.acknowledged)
                    wait_until(lambda: len(going.acknowledged) > start + 20, 60, "acknowledgements of a sound disk")
                    for calls in (1, 3, faulty_disk.ALWAYS):
                        before = self.disk.happened()
                        self.disk.fail(faults, error, calls)
                        # A message over 64 KiB is made a file, without which no call for a name is made.
                        self.submit("large@recv.example", text=message(scenario.SENDER, "large@recv.example") + "x" * 70 + "\r\n" + "A line.\r\n" * 9000)
                        wait_until(lambda: self.disk.happened() > before, 30, "a call that fails")
                        time.sleep(0.5)
                        self.assertTrue(self.relay.process.running(), self.relay.log()[-3000:])
                    self.disk.heal()
                    healed = len(going.acknowledged)
                    wait_until(lambda: len(going.acknowledged) > healed + 20, 60, f"acknowledgements after: {name}")
        finally:
            self.disk.heal()
            going.stop()
        refused = {reply[:3] for reply in going.refusals}
        self.assertTrue(all(code.startswith("4") for code in refused), going.refusals)
        again = self.account_for(going)
        print(f"\n{self.disk.happened()} calls failed, {len(going.acknowledged)} messages acknowledged, none lost, {again} delivered once more; "
              f"refusals: {dict(going.refusals)}")

    def test_a_relay_that_is_killed_while_its_disk_fails_loses_nothing(self):
        going = load.Load(2525, scenario.USER, scenario.PASSWORD, scenario.SENDER, self.recipient, connections=6, pause_s=0.02, prefix="k")
        going.start()
        try:
            for name, (faults, error) in FAULTS.items():
                with self.subTest(fault=name):
                    start = len(going.acknowledged)
                    wait_until(lambda: len(going.acknowledged) > start + 20, 60, "acknowledgements of a sound disk")
                    self.disk.fail(faults, error)
                    time.sleep(0.5)
                    self.relay.kill()
                    self.disk.heal()
                    self.relay.start()
        finally:
            self.disk.heal()
            going.stop()
        self.account_for(going)


if __name__ == "__main__":
    scenario.main()
