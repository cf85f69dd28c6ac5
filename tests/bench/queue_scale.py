#!/usr/bin/python3
"""What a long queue costs: tests/bench/queue_scale.py [--sizes 1000,10000,100000,1000000] [--json FILE] [--plot FILE.svg], as root,
on a release build with its tests.

Fills a queue through the store, starts the relay on it, and measures how long the start takes, how much memory the relay has then, and
the CPU time of a delivery while the queue is still long. Then 100,000 messages are accepted while their destination is down, and
drained when it is back. Exit status 1 when a goal is missed: 1,000,000 recipients start in 5 s and 400 MiB, a delivery costs at most
1.25 times of what it costs with the shortest queue, and nothing is lost or doubled.
"""

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1] / "support"), str(pathlib.Path(__file__).resolve().parent)]

import bench_process
import certificates
import debian_unpack
import dns_world
import private_namespace
import processes
import relay as relays
import scale_plot

GOAL_START_S, GOAL_RSS_MIB, GOAL_COST_RATIO = 5.0, 400.0, 1.25
WARM_SHARE, WARM_MOST, MEASURED_MOST = 0.2, 2_000, 10_000
MEASURED_LEAST = 4_000  # a short queue is filled and drained so often
OUTAGE_CONNECTIONS = 20
USER, PASSWORD = "app", "correct horse battery"
STALLED_S = 60


class DeliveredCount:
    """Counts the lines of a growing file, reading each once."""

    def __init__(self, file):
        self.file, self.offset, self.count = file, 0, 0

    def read(self):
        if self.file.exists():
            with open(self.file, "rb") as lines:
                lines.seek(self.offset)
                new = lines.read()
            self.offset += len(new)
            self.count += new.count(b"\n")
        return self.count

    def wait_for(self, least):
        """Waits until so many are there; gives the count then."""
        last, moved = self.read(), time.monotonic()
        while self.count < least:
            time.sleep(0.02)
            if self.read() != last:
                last, moved = self.count, time.monotonic()
            if time.monotonic() - moved > STALLED_S:
                raise RuntimeError(f"deliveries stopped at {self.count} of {least}")
        return self.count


class World:
    """DNS and the receiving host of all domains."""

    def __init__(self, folder, build, domains):
        self.folder, self.programs = folder, build / "tests" / "bench"
        identity = certificates.leaf(None, ["mx.sink.example"])
        self.certificate, self.key = identity.write(folder, "sink-tls")
        self.dns = dns_world.DnsWorld(folder, ttl_s=3600)
        self.dns.add("mx.sink.example", "A", "127.0.0.2")
        self.dns.add("_25._tcp.mx.sink.example", "TLSA", identity.tlsa(3, 1, 1))
        self.dns.add_txt("_dmarc.sender.example", "v=DMARC1; p=reject")
        for number in range(domains):
            self.dns.add(f"d{number}.sink.example", "MX", "10 mx.sink.example.")
        self.dns.apply()

    def start_sink(self, name):
        ids = self.folder / f"{name}.delivered"
        sink = processes.Process(f"sink-{name}", [str(self.programs / "smtp_sink"), "--listen", "127.0.0.2:25", "--certificate",
                                                  self.certificate, "--key", self.key, "--ids", str(ids)], self.folder)
        return sink.wait_ready(lambda: "listening" in sink.log()), DeliveredCount(ids)

    def relay(self, name, settings=None):
        return relays.Relay(self.folder, self.dns, {"workers": os.cpu_count(), **(settings or {})}, name=name)

    def fill(self, relay, recipients, **more):
        options = [item for name, value in more.items() for item in (f"--{name.replace('_', '-')}", str(value))]
        subprocess.run([str(self.programs / "queue_fill"), "--state", str(relay.folder / "state"), "--recipients", str(recipients),
                        *options], check=True)


def start_figures(relay):
    """Starts a relay on its queue; gives how long it took until READY=1, in seconds of the clock and of CPU, and memory."""
    began = time.monotonic()
    relay.start(timeout_s=600)
    pid = relay.process.pid
    return {"start_s": time.monotonic() - began, "start_cpu_s": bench_process.cpu_seconds(pid),
            "rss_mib": bench_process.memory_mib(pid, "VmRSS"), "start_peak_rss_mib": bench_process.memory_mib(pid, "VmHWM")}


def measure_start(world, name, recipients, **shape):
    """The start alone: nothing is due for an hour."""
    relay = world.relay(name)
    world.fill(relay, recipients, due_in=3_600, **shape)
    try:
        return {"recipients": recipients, **shape, **start_figures(relay)}
    finally:
        relay.stop()
        shutil.rmtree(relay.folder)


def measure_drain(world, queued, body):
    """The start with everything due, and the CPU time of deliveries while the queue is long."""
    drains = [drain_once(world, f"drain-{queued}-0", queued, body)]
    while sum(drain["measured"] for drain in drains) < MEASURED_LEAST:
        drains.append(drain_once(world, f"drain-{queued}-{len(drains)}", queued, body))
    measured = sum(drain["measured"] for drain in drains)
    mean = sum(drain["cpu_ms_per_delivery"] * drain["measured"] for drain in drains) / measured
    return {**drains[-1], "measured": measured, "cpu_ms_per_delivery": mean}


def drain_once(world, name, queued, body):
    relay = world.relay(name)
    world.fill(relay, queued, domains=2, body=body)
    sink, delivered = world.start_sink(name)
    try:
        figures = start_figures(relay)
        pid = relay.process.pid
        warm = delivered.wait_for(min(WARM_MOST, int(queued * WARM_SHARE)))
        cpu, began = bench_process.cpu_seconds(pid), time.monotonic()
        done = delivered.wait_for(warm + min(MEASURED_MOST, int(queued * (1 - 2 * WARM_SHARE))))
        figures |= {"queued": queued, "measured": done - warm,
                    "cpu_ms_per_delivery": (bench_process.cpu_seconds(pid) - cpu) * 1000 / (done - warm),
                    "deliveries_per_second": (done - warm) / (time.monotonic() - began),
                    "peak_rss_mib": bench_process.memory_mib(pid, "VmHWM")}
    finally:
        relay.kill()  # what is still queued is of no interest
        sink.stop()
        shutil.rmtree(relay.folder)
    return figures


def measure_outage(world, build, messages, body):
    """Messages are accepted while their destination is down, and drained when it is back."""
    relay = world.relay("outage", {"queue.retry_delays": ["600s"]})
    relay.create_keys("sender.example", "s1", algorithm="ed25519")
    relay.add_account(USER, PASSWORD)
    relay.start()
    password = world.folder / "password"
    password.write_text(PASSWORD + "\n")
    pid = relay.process.pid
    try:
        load = subprocess.run(
            [str(build / "tests" / "bench" / "smtp_load"), "--connect", "127.0.0.1:2525", "--user", USER, "--password-file", password,
             "--connections", str(OUTAGE_CONNECTIONS), "--messages-per-connection", str(messages // OUTAGE_CONNECTIONS),
             "--from", "ann@sender.example", "--to", "bob@d0.sink.example", "--to", "bob@d1.sink.example", "--size", str(body),
             "--ledger", str(world.folder / "accepted")], capture_output=True, text=True, check=True)
        accepted = json.loads(load.stdout)
        rss = bench_process.memory_mib(pid, "VmRSS")
        sink, delivered = world.start_sink("outage")
        cpu, began = bench_process.cpu_seconds(pid), time.monotonic()
        relay.ask("queue", "retry", "--all")
        delivered.wait_for(accepted["acknowledged"])
        elapsed = time.monotonic() - began
        time.sleep(1)  # the last outcomes are being written
        cost = (bench_process.cpu_seconds(pid) - cpu) * 1000 / accepted["acknowledged"]
        waiting = len(relay.queue())
        relay.stop()
        sink.stop()
    except BaseException:
        if relay.process:
            relay.kill()
        raise
    ids = delivered.file.read_text().splitlines()
    missing = set((world.folder / "accepted").read_text().splitlines()) - set(ids)
    return {"messages": accepted["acknowledged"], "accepted_per_second": accepted["messages_per_second"], "rss_mib_full": rss,
            "drained_per_second": len(ids) / elapsed, "drain_cpu_ms_per_message": cost, "waiting": waiting, "lost": len(missing),
            "duplicates": len(ids) - len(set(ids))}


def misses(report):
    """Goals that were missed, in words."""
    problems = []
    for start in [*report["starts"], *report["drains"]]:
        count = start.get("recipients", start.get("queued"))
        if start["start_s"] > GOAL_START_S:
            problems.append(f"{count} recipients: start {start['start_s']:.1f} s")
        if start["start_peak_rss_mib"] > GOAL_RSS_MIB:
            problems.append(f"{count} recipients: {start['start_peak_rss_mib']:.0f} MiB at the start")
    for drain in report["drains"]:
        ratio = drain["cpu_ms_per_delivery"] / report["drains"][0]["cpu_ms_per_delivery"]
        if ratio > GOAL_COST_RATIO:
            problems.append(f"{drain['queued']} queued: a delivery costs {ratio:.2f} times of that with the shortest queue")
        if drain["peak_rss_mib"] > GOAL_RSS_MIB:
            problems.append(f"{drain['queued']} queued: {drain['peak_rss_mib']:.0f} MiB while draining")
    outage = report.get("outage", {})
    return problems + [f"{outage[name]} {name}" for name in ("lost", "duplicates", "waiting") if outage.get(name)]


def arguments():
    parser = argparse.ArgumentParser(description="Measures what a long queue costs.")
    parser.add_argument("--build", default=str(relays.PROJECT / "build" / "release"), help="folder of the programs")
    parser.add_argument("--sizes", default="1000,10000,100000,1000000", help="recipients queued, shortest queue first")
    parser.add_argument("--body", type=int, default=4_096, help="octets of each body")
    parser.add_argument("--outage", type=int, default=100_000, help="messages accepted while the destination is down; 0: none")
    parser.add_argument("--no-shapes", action="store_true", help="without the starts of large messages and many domains")
    parser.add_argument("--json", help="file for all figures")
    parser.add_argument("--plot", help="file for a plot (SVG)")
    parser.add_argument("--folder", help="where queues go, default a new folder below /tmp")
    return parser.parse_args()


def show(kind, figures):
    print(f"{kind}: " + ", ".join(f"{name} {value:.3f}" if isinstance(value, float) else f"{name} {value}"
                                  for name, value in figures.items()), flush=True)


def main():
    options = arguments()
    if not private_namespace.inside():
        for package in ("unbound", "ldnsutils"):
            debian_unpack.unpack(package)  # inside, there is no network to fetch them from
    private_namespace.enter()
    build = pathlib.Path(options.build).resolve()
    os.environ["WAXWING_BUILD"] = str(build)
    folder = pathlib.Path(options.folder) if options.folder else processes.scratch_folder("scale")
    folder.mkdir(parents=True, exist_ok=True)
    sizes = [int(size) for size in options.sizes.split(",")]
    report = {"machine": bench_process.machine(), "starts": [], "drains": []}
    show("machine", report["machine"])
    world = World(folder, build, 2)
    try:
        for number, shape in enumerate([] if options.no_shapes else [
                {"recipients_per_message": 1_000, "domains": 100, "tenants": 10},
                {"recipients_per_message": 1, "domains": 100_000, "tenants": 1_000, "body": 100}]):
            report["starts"].append(measure_start(world, f"start-{number}", sizes[-1], **shape))
            show("start", report["starts"][-1])
        for size in sizes:
            report["drains"].append(measure_drain(world, size, options.body))
            show("drain", report["drains"][-1])
        if options.outage:
            report["outage"] = measure_outage(world, build, options.outage, options.body)
            show("outage", report["outage"])
    finally:
        world.dns.close()
        if not options.folder:
            processes.remove_folder(folder)
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(report, indent=2) + "\n")
    if options.plot:
        pathlib.Path(options.plot).write_text(scale_plot.svg(report["drains"]))
    for problem in misses(report):
        print(f"MISSED: {problem}")
    return 1 if misses(report) else 0


if __name__ == "__main__":
    sys.exit(main())
