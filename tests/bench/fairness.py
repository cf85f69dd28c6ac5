#!/usr/bin/python3
"""What one tenant's flood costs another: tests/bench/fairness.py [--flood 100000] [--json FILE], as root, on a release build with its tests.

A tenant sends a message now and then to a host that takes it. First alone; then beside 100,000 messages of another tenant for domains whose
host is a tarpit, while as many connections are stuck there as the relay allows. Measured are the reply to the final dot, and the time from
there until the message is delivered. Exit status 1 when a p99 with the flood is over 2 times of that without, or a message is lost.
"""

import argparse
import datetime
import json
import os
import pathlib
import smtplib
import sys
import threading
import time

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1] / "support"), str(pathlib.Path(__file__).resolve().parent)]

import bench_process
import debian_unpack
import private_namespace
import processes
import queue_scale
import relay as relays

GOAL_RATIO = 2.0
CLOCK_MS = 1.0  # what the times in the log are precise to
USER, PASSWORD = "app", "correct horse battery"
SENDER, RECIPIENT = "ann@sender.example", "bob@good.example"
TARPIT_DOMAINS, TARPIT_HOSTS = 1_000, 25
ATTEMPTS_OF_A_TENANT = 500  # that are under way at once: half of all
SETTLED_S = 5


class World(queue_scale.World):
    """A host that takes mail, and one that takes connections."""

    def __init__(self, folder, build):
        super().__init__(folder, build, 0)
        self.dns.add("good.example", "MX", "10 mx.sink.example.")
        addresses = [f"127.0.1.{1 + number}" for number in range(TARPIT_HOSTS)]
        for number, address in enumerate(addresses):
            self.dns.add(f"mx.pit{number}.example", "A", address)
        for number in range(TARPIT_DOMAINS):
            self.dns.add(f"d{number}.pit.example", "MX", f"10 mx.pit{number % TARPIT_HOSTS}.example.")
        self.dns.apply()
        self.stuck_file = folder / "stuck"
        self.tarpit = processes.Process("tarpit", [sys.executable, str(pathlib.Path(__file__).with_name("tarpit.py")),
                                                   str(self.stuck_file), *addresses], folder)
        self.tarpit.wait_ready(self.stuck_file.exists)

    def stuck(self):
        return int(self.stuck_file.read_text() or 0)

    def wait_until_stuck(self):
        """Waits until no more connections come; gives how many are stuck."""
        last, since = self.stuck(), time.monotonic()
        while time.monotonic() - since < SETTLED_S or last == 0:
            time.sleep(0.2)
            if self.stuck() > last:
                last, since = self.stuck(), time.monotonic()
        return last

    def close(self):
        self.tarpit.stop()
        self.dns.close()


def submit(seconds, rate, part, replies):
    """Sends at a steady rate on one connection; notes how long each reply to the final dot took."""
    with smtplib.SMTP("127.0.0.1", 2525, local_hostname="client.example", timeout=60) as client:
        client.login(USER, PASSWORD)
        began = time.monotonic()
        for number in range(int(seconds * rate)):
            time.sleep(max(0.0, began + number / rate - time.monotonic()))
            client.mail(SENDER)
            client.rcpt(RECIPIENT)
            client.docmd("DATA")
            content = f"From: {SENDER}\r\nTo: {RECIPIENT}\r\nSubject: {part}-{number}\r\n\r\n" + 50 * ("x" * 78 + "\r\n")
            sent = time.monotonic()
            client.send(content + ".\r\n")
            code, reply = client.getreply()
            if code != 250:
                raise RuntimeError(f"refused: {code} {reply}")
            replies.append((reply.decode().rsplit(" ", 1)[1], time.monotonic() - sent))


def delivery_times(relay, ids):
    """Seconds from acceptance to delivery by the relay's log."""
    moments = {}
    for event in relay.events():
        if event["event"] in ("message_accepted", "message_delivered") and event["id"] in ids:
            moments.setdefault(event["id"], {})[event["event"]] = datetime.datetime.fromisoformat(event["time"].replace("Z", "+00:00"))
    return [(both["message_delivered"] - both["message_accepted"]).total_seconds() for both in moments.values() if len(both) == 2]


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def measure(relay, seconds, rate):
    replies, threads = [], []
    for part in range(2):
        threads.append(threading.Thread(target=submit, args=(seconds, rate / 2, part, replies)))
        threads[-1].start()
    for thread in threads:
        thread.join()
    ids = {identity for identity, _ in replies}
    end = time.monotonic() + 120
    while len(times := delivery_times(relay, ids)) < len(ids) and time.monotonic() < end:
        time.sleep(0.5)
    answered = [elapsed for _, elapsed in replies]
    return {"messages": len(ids), "lost": len(ids) - len(times),
            **{f"{name}_p{int(share * 100)}_ms": percentile(values, share) * 1000
               for name, values in (("reply", answered), ("delivery", times)) for share in (0.5, 0.99)}}


def run(world, flood, seconds, rate):
    relay = world.relay("fairness")
    relay.create_keys("sender.example", "s1")
    relay.add_account(USER, PASSWORD)
    sink, _ = world.start_sink("fairness")
    try:
        relay.start()
        measure(relay, 3, rate)  # connections, caches
        alone = measure(relay, seconds, rate)
        relay.stop()
        world.fill(relay, flood, domains=TARPIT_DOMAINS, domain_suffix="pit.example", tenants=1)
        relay.start()
        stuck = world.wait_until_stuck()
        measure(relay, 3, rate)
        beside = measure(relay, seconds, rate)
        under_way = relay.ask_json("top", "--once")[0]["active"]
        return {"alone": alone, "beside": {**beside, "flood": flood, "stuck": stuck, "attempts_under_way": under_way,
                                           "rss_mib": bench_process.memory_mib(relay.process.pid, "VmRSS")}}
    finally:
        if relay.process:
            relay.kill()  # what is still queued is of no interest
        sink.stop()


def misses(report):
    problems = []
    for name in ("reply_p99_ms", "delivery_p99_ms"):
        alone, beside = report["alone"][name], report["beside"][name]
        if beside > GOAL_RATIO * alone + CLOCK_MS:
            problems.append(f"{name} is {beside:.1f} beside the flood and {alone:.1f} alone (goal: {GOAL_RATIO:.0f} times)")
    if report["beside"]["attempts_under_way"] < 0.9 * ATTEMPTS_OF_A_TENANT:
        problems.append(f"only {report['beside']['attempts_under_way']} attempts were under way: there was no flood")
    return problems + [f"{report[part]['lost']} not delivered {part}" for part in ("alone", "beside") if report[part]["lost"]]


def main():
    parser = argparse.ArgumentParser(description="Measures what one tenant's flood costs another.")
    parser.add_argument("--build", default=str(relays.PROJECT / "build" / "release"), help="folder of the programs")
    parser.add_argument("--flood", type=int, default=100_000, help="messages of the other tenant")
    parser.add_argument("--seconds", type=int, default=60, help="length of each measurement")
    parser.add_argument("--rate", type=float, default=20, help="messages a second of the tenant that is looked at")
    parser.add_argument("--json", help="file for all figures")
    options = parser.parse_args()
    if not private_namespace.inside():
        for package in ("unbound", "ldnsutils"):
            debian_unpack.unpack(package)  # inside, there is no network to fetch them from
    private_namespace.enter()
    build = pathlib.Path(options.build).resolve()
    os.environ["WAXWING_BUILD"] = str(build)
    folder = processes.scratch_folder("fairness")
    report = {"machine": bench_process.machine()}
    queue_scale.show("machine", report["machine"])
    world = World(folder, build)
    try:
        report |= run(world, options.flood, options.seconds, options.rate)
        for part in ("alone", "beside"):
            queue_scale.show(part, report[part])
    finally:
        world.close()
        processes.remove_folder(folder)
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(report, indent=2) + "\n")
    for problem in misses(report):
        print(f"MISSED: {problem}")
    return 1 if misses(report) else 0


if __name__ == "__main__":
    sys.exit(main())
