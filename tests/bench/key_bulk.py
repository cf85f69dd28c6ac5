"""Times `waxwing keys list` and `waxwing keys check` with many domains, against BIND, Knot and unbound on loopback.

    python3 tests/bench/key_bulk.py [DOMAINS]       # as root, on a release build; default 10,000

Each domain has an active pair and a standby, as a life cycle has them: four TXT records at two name servers, each asked for over
UDP and TCP, and through the resolver. All of it is in namespaces of its own; nothing of the machine is changed.
"""

import os
import pathlib
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import debian_unpack
import dns_world
import name_servers
import private_namespace
import processes
import relay

SERVERS = {"ns1.bulk.example": "127.0.0.20", "ns2.bulk.example": "127.0.0.21"}
SELECTORS = [("w1", "rsa", "active"), ("w1-ed25519", "ed25519", "active"), ("w2", "rsa", "ready"), ("w2-ed25519", "ed25519", "ready")]


def state_text(domain, records):
    lines = ["waxwing-rotation 1", f"domain {domain}", "delegation -", "sequence 0", "wanted 0"]
    for index, (selector, kind, phase) in enumerate(SELECTORS):
        if index % 2 == 0:
            lines.append(f"generation {phase} 1769860800000 0 0 300 60 -")
        lines.append(f"key {selector} {kind} {records[kind]}")
    return "\n".join([*lines, "end", ""])


def zone_lines(domains, records):
    for domain in domains:
        label = domain.split(".")[0]
        for selector, kind, _ in SELECTORS:
            text = records[kind]
            pieces = " ".join(f'"{text[start:start + 255]}"' for start in range(0, len(text), 255))
            yield f"{selector}._domainkey.{label} 300 IN TXT {pieces}"


def timed(command, environment):
    began = time.monotonic()
    answer = subprocess.run(command, env=environment, capture_output=True, text=True)
    return time.monotonic() - began, answer


def main(count):
    folder = processes.scratch_folder("bulk")
    world = dns_world.DnsWorld(folder)
    try:
        for name, address in SERVERS.items():
            world.add("bulk.example", "NS", f"{name}.")
            world.add(name, "A", address)
        world.apply()
        peer = relay.Relay(folder, world)
        peer.ask("keys", "create", "sample.example", "s1")
        made = {entry["algorithm"]: entry["value"] for entry in peer.ask_json("keys", "dns", "sample.example")}
        subprocess.run(["rm", "-r", f"{peer.settings['state_directory']}/keys"], check=True)
        domains = [f"d{number}.bulk.example" for number in range(count)]
        states = pathlib.Path(peer.settings["state_directory"]) / "rotation"
        states.mkdir(mode=0o700)
        for domain in domains:
            (states / f"{domain}.state").write_text(state_text(domain, made))
            (states / f"{domain}.state").chmod(0o600)
        zone = name_servers.zone_text("bulk.example", SERVERS, zone_lines(domains, made), negative_ttl_s=60)
        servers = [name_servers.Bind(folder, SERVERS["ns1.bulk.example"], {"bulk.example": zone}).start(),
                   name_servers.Knot(folder, SERVERS["ns2.bulk.example"], {"bulk.example": zone}).start()]
        command = [str(relay.build_folder() / "waxwing"), "--config", str(peer.config_file), "keys"]
        for words in (["list"], ["check"], ["check"], ["check", "--json"]):
            seconds, answer = timed([*command, *words], peer.environment())
            lines = answer.stdout.splitlines()
            print(f"keys {' '.join(words)}: {seconds:.2f} s for {count} domains, {count / seconds:.0f} domains/s, "
                  f"exit status {answer.returncode}, {len(lines)} lines, the last: {lines[-1][:100] if lines else answer.stderr}",
                  flush=True)
        for server in servers:
            server.stop()
    finally:
        world.close()
        processes.remove_folder(folder)


if __name__ == "__main__":
    if not private_namespace.inside():
        for package in ("unbound", "ldnsutils", "bind9", "knot"):
            debian_unpack.unpack(package)
        os.environ.setdefault("WAXWING_BUILD", str(relay.PROJECT / "build" / "release"))
    private_namespace.enter()
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
