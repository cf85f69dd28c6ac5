#!/usr/bin/python3
"""Memory of idle connections: tests/bench/idle_connections.py [--count 10000], as root, on a release build.

Opens so many connections to a relay of its own, greets on each, and leaves them idle: without TLS, and with implicit TLS. Says how
much the resident set of waxwingd grew for each, and how long an honest client needs for a whole session meanwhile (p50, p99).
Exit status 1 when a goal is missed: 12 KiB a connection without TLS, 40 KiB with, 250 ms at p99.
"""

import argparse
import os
import pathlib
import resource
import smtplib
import socket
import ssl
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import certificates
import dns_world
import private_namespace
import debian_unpack
import processes
import relay as relays

CLEAR, TLS = 2525, 465
GOALS_KIB = {"without TLS": 12.0, "with TLS": 40.0}
GOAL_P99_MS = 250.0
PROBES = 200


def resident_kib(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise AssertionError("no VmRSS")


def connect(index, port, context):
    connection = socket.socket()
    connection.bind((f"127.1.{index % 250}.{index // 250 % 250 + 1}", 0))
    connection.settimeout(60)
    connection.connect(("127.0.0.1", port))
    if context:
        connection = context.wrap_socket(connection, server_hostname="localhost")
    if not connection.recv(512).startswith(b"220"):
        raise AssertionError("no greeting")
    connection.sendall(b"EHLO idle.example\r\n")
    if not connection.recv(4096).startswith(b"250"):
        raise AssertionError("no answer to EHLO")
    return connection


def probe_ms():
    """Times of whole sessions of an honest client."""
    times = []
    for _ in range(PROBES):
        began = time.monotonic()
        with smtplib.SMTP("127.0.0.1", CLEAR, timeout=60) as client:
            client.login("app", "correct horse battery")
            client.noop()
        times.append(1_000 * (time.monotonic() - began))
    times.sort()
    return times[len(times) // 2], times[int(len(times) * 0.99)]


def measure(pid, count, port, context):
    # What the first connections need once (arenas, TLS tables) is not what each needs.
    warm = [connect(index, port, context) for index in range(200)]
    before = resident_kib(pid)
    idle = [connect(index, port, context) for index in range(count)]
    time.sleep(1)
    grown = resident_kib(pid) - before
    p50, p99 = probe_ms()
    for connection in warm + idle:
        connection.close()
    return grown / count, p50, p99


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=10_000)
    count = parser.parse_args().count
    os.environ.setdefault("WAXWING_BUILD", str(relays.PROJECT / "build" / "release"))
    if not private_namespace.inside():
        debian_unpack.unpack("unbound")
        debian_unpack.unpack("ldnsutils")
    private_namespace.enter()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if count + 1_000 > hard:
        sys.exit(f"{count} connections need more than the {hard} descriptors that a process may have: ulimit -Hn")
    folder = processes.scratch_folder("idle")
    dns = dns_world.DnsWorld(folder)
    authority = certificates.authority()
    chain, key = certificates.leaf(authority, ["localhost"]).write(folder, "listener")
    ca_file = folder / "authority.pem"
    ca_file.write_bytes(authority.certificate_pem())
    dns.apply()
    failed = False
    try:
        for name, port, context in (("without TLS", CLEAR, None), ("with TLS", TLS, ssl.create_default_context(cafile=ca_file))):
            # A relay for each: what one has let go, its allocator would give to the other.
            relay = relays.Relay(folder, dns, {"delivery.ca_file": ca_file, "limits.max_connections": 4 * count,
                                               "limits.idle_timeout": "1h"}, [
                {"name": "local", "address": "127.0.0.1", "port": CLEAR},
                {"name": "tls", "address": "127.0.0.1", "port": TLS, "tls": "implicit", "certificate_file": chain, "key_file": key}],
                                 name=name.replace(" ", "-"))
            relay.add_account("app", "correct horse battery")
            relay.start()
            each, p50, p99 = measure(relay.process.pid, count, port, context)
            relay.stop()
            good = each <= GOALS_KIB[name] and p99 <= GOAL_P99_MS
            failed = failed or not good
            print(f"{count} idle {name}: {each:.1f} KiB each (goal {GOALS_KIB[name]:.0f}); honest session p50 {p50:.1f} ms, "
                  f"p99 {p99:.1f} ms (goal {GOAL_P99_MS:.0f}){'' if good else ': MISSED'}", flush=True)
    finally:
        dns.close()
        processes.remove_folder(folder)
    return failed


if __name__ == "__main__":
    sys.exit(main())
