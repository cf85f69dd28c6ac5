"""Our resolver's verdicts over zones whose DNSSEC state is known, served and validated by Debian's unbound.

WAXWING_CONFORMANCE names the folder with dane/dnssec-zones (zones, trust anchor, expect.json). The first argument is
the program waxwing-resolve.
"""

import json
import os
import pathlib
import socket
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))

import debian_unpack
import processes

SKIPPED = 77
PROGRAM = None
ZONES = None


def free_port():
    """A port that nobody uses now, for UDP and TCP."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Unbound:
    """A validating resolver with all zones of the suite inside."""

    def __init__(self, folder, zones, validating=True):
        self.port = free_port()
        self.folder = folder
        tree = debian_unpack.unpack("unbound")
        file = folder / f"unbound-{self.port}.conf"
        file.write_text(self._configuration(zones, validating))
        command = [tree.program("usr/sbin/unbound"), "-d", "-p", "-c", str(file)]
        self.process = processes.Process(f"unbound-{self.port}", command, folder, tree.environment())
        self.process.wait_ready(lambda: processes.accepts_connections("127.0.0.1", self.port))

    def _configuration(self, zones, validating):
        modules = "validator iterator" if validating else "iterator"
        text = f"""server:
  interface: 127.0.0.1@{self.port}
  access-control: 127.0.0.0/8 allow
  directory: "{self.folder}"
  chroot: ""
  username: ""
  pidfile: ""
  use-syslog: no
  do-daemonize: no
  do-ip6: no
  module-config: "{modules}"
  trust-anchor-file: "{zones}/trust-anchor.ds"
  trust-anchor-signaling: no
"""
        for zone in sorted((zones / "zones").glob("*.zone")):
            text += (f'auth-zone:\n  name: "{zone.stem}."\n  zonefile: "{zone}"\n'
                     "  for-downstream: no\n  for-upstream: yes\n  fallback-enabled: no\n")
        return text


def resolve(port, questions):
    """Asks (name, type) pairs; gives each one's status and the rest of its line."""
    lines = "".join(f"{name} {record_type}\n" for name, record_type in questions)
    answer = subprocess.run([PROGRAM, "127.0.0.1", str(port)], input=lines, capture_output=True, text=True, timeout=120)
    if answer.returncode != 0:
        raise AssertionError(f"waxwing-resolve ended with {answer.returncode}: {answer.stderr}")
    fields = [line.split(" ", 3) for line in answer.stdout.splitlines()]
    return {(name, record_type): (status, rest) for name, record_type, status, rest in fields}


class DnssecZones(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = processes.scratch_folder("dnssec-zones")
        cls.addClassCleanup(processes.remove_folder, cls.folder)
        cls.queries = json.loads((ZONES / "expect.json").read_text())["queries"]
        cls.questions = [(query["name"], query["type"]) for query in cls.queries]

    def start(self, **options):
        server = Unbound(self.folder, ZONES, **options)
        self.addCleanup(server.process.stop)
        return server

    def test_every_expectation_of_the_suite_holds(self):
        answers = resolve(self.start().port, self.questions)
        wrong = {f"{query['name']} {query['type']}": (query["expect"], *answers[query["name"], query["type"]])
                 for query in self.queries if answers[query["name"], query["type"]][0] != query["expect"]}
        self.assertEqual(wrong, {})
        self.assertGreaterEqual(len(answers), 46)

    def test_aliases_are_followed_to_their_end(self):
        questions = [("alias.good.example", "A"), ("ext.good.example", "A"), ("ext.good.example", "CNAME")]
        answers = resolve(self.start().port, questions)
        self.assertIn("alias=secure", answers["alias.good.example", "A"][1])
        self.assertNotIn("canonical=alias.good.example", answers["alias.good.example", "A"][1])
        self.assertIn("alias=unproven", answers["ext.good.example", "A"][1])
        self.assertEqual(answers["ext.good.example", "CNAME"][0], "secure")

    def test_nothing_is_secure_or_bogus_when_the_resolver_does_not_validate(self):
        answers = resolve(self.start(validating=False).port, self.questions)
        self.assertEqual({status.split("-")[0] for status, _ in answers.values()}, {"insecure"})

    def test_a_resolver_that_is_not_there_is_a_failure(self):
        answers = resolve(free_port(), [("good.example", "MX")])
        self.assertEqual(answers["good.example", "MX"][0], "failed")


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1) if len(sys.argv) > 1 else sys.exit("usage: dnssec_zones_test.py WAXWING-RESOLVE")
    conformance = os.environ.get("WAXWING_CONFORMANCE")
    ZONES = pathlib.Path(conformance or "/nonexistent") / "dane" / "dnssec-zones"
    if not (ZONES / "expect.json").exists():
        print("skipped: WAXWING_CONFORMANCE does not name a folder with dane/dnssec-zones")
        sys.exit(SKIPPED)
    try:
        debian_unpack.unpack("unbound")
    except debian_unpack.UnpackError as error:
        print(f"skipped: {error}")
        sys.exit(SKIPPED)
    unittest.main(verbosity=2)
