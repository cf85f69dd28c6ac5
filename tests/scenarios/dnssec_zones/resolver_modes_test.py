"""The three ways to an answer, over the same zones of known DNSSEC state: from a root served by Debian's nsd, our own
recursion and that of Debian's unbound; and DNS over TLS to an unbound at an address that is not of loopback.

Runs in namespaces of its own, since authoritative servers must be on port 53. WAXWING_CONFORMANCE names the folder with
dane/dnssec-zones; the arguments are the programs waxwing-resolve and waxwing.
"""

import base64
import hashlib
import json
import os
import pathlib
import socket
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))

import certificates
import debian_unpack
import private_namespace
import processes

SKIPPED = 77
AUTHORITATIVE = "127.0.0.1"
DEAD = "127.0.0.9"  # takes every question and says nothing
VALIDATOR_PORT = 5353
RESOLVER = "192.0.2.53"  # carried by the loopback interface, but no loopback address
PROGRAM = WAXWING = ZONES = None

ROOT = f""". 3600 IN SOA ns.rootns. host.rootns. 1 3600 600 86400 300
. 3600 IN NS ns.rootns.
ns.rootns. 3600 IN A {AUTHORITATIVE}
example. 3600 IN NS ns1.example.
ns1.example. 3600 IN A {AUTHORITATIVE}
dead. 3600 IN NS ns.dead.
ns.dead. 3600 IN A {DEAD}
"""


def resolve(questions, *arguments):
    """Asks (name, type) pairs; gives each one's status and the rest of its line."""
    lines = "".join(f"{name} {record_type}\n" for name, record_type in questions)
    answer = subprocess.run([PROGRAM, *map(str, arguments)], input=lines, capture_output=True, text=True, timeout=120)
    if answer.returncode != 0:
        raise AssertionError(f"waxwing-resolve ended with {answer.returncode}: {answer.stderr}")
    fields = [line.split(" ", 3) for line in answer.stdout.splitlines()]
    return {(name, record_type): (status, rest) for name, record_type, status, rest in fields}


class Zones(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = processes.scratch_folder("resolver-modes")
        cls.addClassCleanup(processes.remove_folder, cls.folder)
        cls.queries = json.loads((ZONES / "expect.json").read_text())["queries"]
        cls.questions = [(query["name"], query["type"]) for query in cls.queries]
        cls.build_world()

    @classmethod
    def start(cls, name, command, tree, ready):
        process = processes.Process(name, command, cls.folder, tree.environment())
        cls.addClassCleanup(process.stop)
        process.wait_ready(ready)

    def assert_all_as_expected(self, answers):
        wrong = {f"{query['name']} {query['type']}": (query["expect"], *answers[query["name"], query["type"]])
                 for query in self.queries if answers[query["name"], query["type"]][0] != query["expect"]}
        self.assertEqual(wrong, {})
        self.assertGreaterEqual(len(answers), 46)


    def explain(self, domain, dns_settings):
        """The plan that the command line makes for a domain with these settings of [dns]."""
        file = self.folder / "waxwing.toml"
        settings = "".join(f"{name} = {json.dumps(value)}\n" for name, value in dns_settings.items())
        file.write_text(f'hostname = "relay.example"\nstate_directory = "{self.folder}"\n'
                        f'[dns]\nprobe_name = "good.example"\n{settings}'
                        f'[delivery]\nallow_non_global_addresses = true\nca_file = "{self.ca_file}"\n')
        answer = subprocess.run([WAXWING, "--config", str(file), "explain", f"user@{domain}", "--json"], capture_output=True,
                                text=True, timeout=60)
        self.assertIn(answer.returncode, (0, 1), answer.stderr)
        return json.loads(answer.stdout)

    def assert_plans(self, dns_settings):
        good = self.explain("good.example", dns_settings)
        self.assertEqual([host["requirement"] for host in good["hosts"]], ["dane", "dane"], good)
        self.assertEqual(self.explain("bogus.example", dns_settings)["outcome"], "defer")


class Recursion(Zones):
    ca_file = "/etc/ssl/certs/ca-certificates.crt"

    @classmethod
    def build_world(cls):
        tree = debian_unpack.unpack("nsd")
        (cls.folder / "root.zone").write_text(ROOT)
        file = cls.folder / "nsd.conf"
        text = f"""server:
  server-count: 1
  ip-address: {AUTHORITATIVE}
  username: ""
  pidfile: ""
  database: ""
  zonesdir: "{cls.folder}"
  xfrdfile: "{cls.folder}/xfrd.state"
  zonelistfile: "{cls.folder}/zone.list"
  xfrdir: "{cls.folder}"
  rrl-ratelimit: 0
remote-control:
  control-enable: no
zone:
  name: "."
  zonefile: root.zone
"""
        for zone in sorted((ZONES / "zones").glob("*.zone")):
            text += f'zone:\n  name: "{zone.stem}"\n  zonefile: "{zone}"\n'
        file.write_text(text)
        cls.start("nsd", [tree.program("usr/sbin/nsd"), "-d", "-c", str(file)], tree,
                  lambda: processes.accepts_connections(AUTHORITATIVE, 53))
        cls.start_validator()
        cls.silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        cls.silent.bind((DEAD, 53))
        cls.addClassCleanup(cls.silent.close)

    @classmethod
    def start_validator(cls):
        """A resolver that asks nsd, on another port of the same address."""
        tree = debian_unpack.unpack("unbound")
        (cls.folder / "root.hints").write_text(f". 3600 IN NS ns.rootns.\nns.rootns. 3600 IN A {AUTHORITATIVE}\n")
        file = cls.folder / "unbound.conf"
        file.write_text(f"""server:
  interface: {AUTHORITATIVE}@{VALIDATOR_PORT}
  access-control: 127.0.0.0/8 allow
  directory: "{cls.folder}"
  chroot: ""
  username: ""
  pidfile: ""
  use-syslog: no
  do-daemonize: no
  do-ip6: no
  do-not-query-localhost: no
  root-hints: "{cls.folder}/root.hints"
  module-config: "validator iterator"
  trust-anchor-file: "{ZONES}/trust-anchor.ds"
  trust-anchor-signaling: no
""")
        cls.start("unbound", [tree.program("usr/sbin/unbound"), "-d", "-p", "-c", str(file)], tree,
                  lambda: processes.accepts_connections(AUTHORITATIVE, VALIDATOR_PORT))

    def test_every_expectation_of_the_suite_holds_by_a_resolver_that_asks_the_same_servers(self):
        self.assert_all_as_expected(resolve(self.questions, AUTHORITATIVE, VALIDATOR_PORT))

    def recurse(self, questions, anchor="trust-anchor.ds", timeout_ms=20000):
        return resolve(questions, "recursing", AUTHORITATIVE, ZONES / anchor, timeout_ms)

    def test_every_expectation_of_the_suite_holds(self):
        for anchor in ("trust-anchor.ds", "trust-anchor.dnskey"):
            with self.subTest(anchor=anchor):
                self.assert_all_as_expected(self.recurse(self.questions, anchor))

    def test_aliases_are_followed_to_their_end(self):
        answers = self.recurse([("alias.good.example", "A"), ("ext.good.example", "A"), ("ext.good.example", "CNAME")])
        self.assertIn("alias=secure", answers["alias.good.example", "A"][1])
        self.assertNotIn("canonical=alias.good.example", answers["alias.good.example", "A"][1])
        self.assertIn("alias=unproven", answers["ext.good.example", "A"][1])
        self.assertEqual(answers["ext.good.example", "CNAME"][0], "secure")

    def test_servers_that_are_gone_are_failures_and_take_no_good_answers_with_them(self):
        dead = [(f"n{index}.dead", "A") for index in range(12)]
        began = time.monotonic()
        answers = self.recurse(dead + self.questions, timeout_ms=5000)
        self.assert_all_as_expected({question: answers[question] for question in self.questions})
        self.assertEqual({answers[question][0] for question in dead}, {"failed"})
        self.assertLess(time.monotonic() - began, 30)

    def test_a_relay_without_a_resolver_plans_by_its_own_recursion(self):
        self.assert_plans({"mode": "recursing", "root_servers": [AUTHORITATIVE],
                           "trust_anchor_file": str(ZONES / "trust-anchor.ds")})

    def test_without_a_trust_anchor_nothing_is_asked(self):
        for text in ("", "example. 3600 IN A 127.0.0.1\n"):
            with self.subTest(text=text):
                (self.folder / "anchor").write_text(text)
                with self.assertRaisesRegex(AssertionError, "trust anchor"):
                    self.recurse([("good.example", "MX")], self.folder / "anchor")
        with self.assertRaisesRegex(AssertionError, "cannot be read"):
            self.recurse([("good.example", "MX")], self.folder / "missing")


class OverTls(Zones):
    @classmethod
    def build_world(cls):
        authority = certificates.authority()
        cls.ca_file = str(cls.folder / "authority.pem")
        pathlib.Path(cls.ca_file).write_bytes(authority.certificate_pem())
        cls.named = certificates.leaf(authority, ["dns.example"])
        cls.own = certificates.leaf(None, ["elsewhere.example"])
        cls.start_unbound(853, cls.named)
        cls.start_unbound(8853, cls.own)

    @classmethod
    def start_unbound(cls, port, identity):
        tree = debian_unpack.unpack("unbound")
        chain, key = identity.write(cls.folder, f"unbound-{port}")
        file = cls.folder / f"unbound-{port}.conf"
        text = f"""server:
  interface: {RESOLVER}@{port}
  tls-port: {port}
  tls-service-pem: "{chain}"
  tls-service-key: "{key}"
  access-control: 192.0.2.0/24 allow
  directory: "{cls.folder}"
  chroot: ""
  username: ""
  pidfile: ""
  use-syslog: no
  do-daemonize: no
  do-ip6: no
  module-config: "validator iterator"
  trust-anchor-file: "{ZONES}/trust-anchor.ds"
  trust-anchor-signaling: no
"""
        for zone in sorted((ZONES / "zones").glob("*.zone")):
            text += (f'auth-zone:\n  name: "{zone.stem}."\n  zonefile: "{zone}"\n'
                     "  for-downstream: no\n  for-upstream: yes\n  fallback-enabled: no\n")
        file.write_text(text)
        cls.start(f"unbound-{port}", [tree.program("usr/sbin/unbound"), "-d", "-p", "-c", str(file)], tree,
                  lambda: processes.accepts_connections(RESOLVER, port))

    @staticmethod
    def pin(identity):
        return base64.b64encode(hashlib.sha256(identity.public_key_der()).digest()).decode()

    def ask(self, port, name, pin, questions=(("good.example", "MX"),)):
        return resolve(questions, RESOLVER, port, name, self.ca_file, pin)

    def test_every_expectation_of_the_suite_holds_when_the_server_proves_its_name(self):
        self.assert_all_as_expected(self.ask(853, "dns.example", "", self.questions))

    def test_every_expectation_of_the_suite_holds_when_the_server_proves_its_key_alone(self):
        self.assert_all_as_expected(self.ask(8853, "", self.pin(self.own), self.questions))

    def test_a_server_that_does_not_prove_who_it_is_is_asked_nothing(self):
        for port, name, pin in ((853, "other.example", ""), (8853, "elsewhere.example", ""), (853, "", self.pin(self.own)),
                                (8853, "", self.pin(self.named)), (853, "dns.example", self.pin(self.own)),
                                (853, "other.example", self.pin(self.named))):
            with self.subTest(port=port, name=name, pin=pin):
                self.assertEqual(self.ask(port, name, pin)["good.example", "MX"][0], "failed")

    def test_a_server_that_proves_both_is_asked(self):
        self.assertEqual(self.ask(853, "dns.example", self.pin(self.named))["good.example", "MX"][0], "secure")

    def test_a_relay_plans_by_a_resolver_elsewhere_over_tls(self):
        settings = {"mode": "tls", "resolver": f"{RESOLVER}:853", "tls_name": "dns.example"}
        self.assert_plans(settings)
        impostor = self.explain("good.example", {**settings, "tls_name": "other.example"})
        self.assertEqual(impostor["outcome"], "defer")

    def test_nothing_to_prove_is_refused(self):
        with self.assertRaisesRegex(AssertionError, "must prove"):
            self.ask(853, "", "")

    def test_a_server_without_tls_is_asked_nothing(self):
        plain = socket.create_server((RESOLVER, 9853))
        self.addCleanup(plain.close)
        self.assertEqual(self.ask(9853, "dns.example", "")["good.example", "MX"][0], "failed")


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(SKIPPED)


if __name__ == "__main__":
    conformance = os.environ.get("WAXWING_CONFORMANCE")
    ZONES = pathlib.Path(conformance or "/nonexistent") / "dane" / "dnssec-zones"
    if not (ZONES / "expect.json").exists():
        skip("WAXWING_CONFORMANCE does not name a folder with dane/dnssec-zones")
    if not private_namespace.inside():
        if os.geteuid() != 0:
            skip("namespaces need root")
        try:
            debian_unpack.unpack("nsd")  # inside, there is no network to fetch them from
            debian_unpack.unpack("unbound")
        except debian_unpack.UnpackError as error:
            skip(error)
    private_namespace.enter()
    if len(sys.argv) < 3:
        sys.exit("usage: resolver_modes_test.py WAXWING-RESOLVE WAXWING")
    PROGRAM, WAXWING = sys.argv.pop(1), sys.argv.pop(1)
    subprocess.run(["ip", "address", "add", f"{RESOLVER}/32", "dev", "lo"], check=True)
    unittest.main(verbosity=2)
