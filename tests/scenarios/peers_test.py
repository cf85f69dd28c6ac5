"""Receiving hosts by others, Postfix with OpenSSL and Exim with GnuTLS, and a second opinion about each: whether mail may
go to a domain is asked of the relay and of Postfix's posttls-finger, which must agree."""

import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import certificates
import debian_unpack
import exim_world
import policy_host
import postfix_world
import scenario

SOFTWARE = ("postfix", "exim")
# What a domain publishes, which host it names, and whether mail may go there.
DANE = {"ee": True, "ta": True, "wrong": False, "expired": False, "bare": False, "roll": True}
STS = {"sts": True, "stswrong": False, "stsbare": False}


class Peers(scenario.Scenario):
    """For each software a host with TLS and one without; domains are named after what they publish and the software."""

    @classmethod
    def build_world(cls):
        cls.finger = debian_unpack.unpack("postfix")
        resolver = cls.folder / "resolv.conf"
        resolver.write_text("nameserver 127.0.0.1\noptions trust-ad edns0\n")
        subprocess.run(["mount", "--bind", str(resolver), "/etc/resolv.conf"], check=True)
        exim_world.use_account(cls.folder)
        cls.dns.add_zone("insecure.example", signed=False)
        cls.dns.add_zone("expired.example").expired = True
        cls.hosts = {}
        for index, software in enumerate(SOFTWARE):
            cls.add_hosts(software, f"127.0.0.{2 + 2 * index}", f"127.0.0.{3 + 2 * index}")
        cls.publish_policies()

    @classmethod
    def add_hosts(cls, software, address, bare_address):
        """A host with TLS under several names, of which its certificate has those that it needs, and one without TLS."""
        identity = certificates.leaf(cls.authority, [f"mx-ta.{software}.example", f"mx-sts.{software}.insecure.example"])
        cls.start(software, address, [name for name in (*DANE, *STS) if "bare" not in name], identity)
        cls.start(software, bare_address, ["bare", "stsbare"], None)
        records = {"ee": [identity.tlsa(3, 1, 1)], "ta": [cls.authority.tlsa(2, 0, 1)], "wrong": [certificates.wrong_tlsa()],
                   "bare": [identity.tlsa(3, 1, 1)], "roll": [certificates.wrong_tlsa(), identity.tlsa(3, 0, 2)]}
        for name in DANE:
            host = f"mx-{software}.expired.example" if name == "expired" else f"mx-{name}.{software}.example"
            cls.dns.add(host, "A", bare_address if name == "bare" else address)
            cls.dns.add(cls.domain(software, name), "MX", f"10 {host}.")
            for record in records.get(name, [identity.tlsa(3, 1, 1)]):
                cls.dns.add(f"_25._tcp.{host}", "TLSA", record)
        for name in STS:
            host = f"mx-{name}.{software}.insecure.example"
            cls.dns.add(host, "A", bare_address if name == "stsbare" else address)
            cls.dns.add(cls.domain(software, name), "MX", f"10 {host}.")

    @classmethod
    def start(cls, software, address, names, identity):
        domains = [cls.domain(software, name) for name in names]
        kind = postfix_world.Postfix if software == "postfix" else exim_world.Exim
        host = kind(cls.folder, f"{software}-{'tls' if identity else 'bare'}.example", address, 25, domains, identity)
        cls.addClassCleanup(host.start().stop)
        cls.hosts.update({domain: host for domain in domains})

    @classmethod
    def publish_policies(cls):
        domains = {cls.domain(software, name): f"mx-{name}.{software}.insecure.example" for software in SOFTWARE for name in STS}
        policies = policy_host.PolicyHost(cls.folder, "127.0.0.10", 443, certificates.leaf(
            cls.authority, [f"mta-sts.{domain}" for domain in domains]))
        cls.addClassCleanup(policies.close)
        for domain, host in domains.items():
            cls.dns.add_txt(f"_mta-sts.{domain}", "v=STSv1; id=20260101")
            cls.dns.add(f"mta-sts.{domain}", "A", "127.0.0.10")
            policies.publish(domain, "enforce", [host])

    @staticmethod
    def domain(software, name):
        return f"{name}-{software}.insecure.example" if name in STS else f"{name}-{software}.example"

    def tearDown(self):
        self.drop_queue()

    def finger_verifies(self, domain, *arguments):
        """Whether posttls-finger comes to a verified session with a host of a domain; gives what it printed, too."""
        command = [self.finger.program("usr/sbin/posttls-finger"), "-c", "-T", "20", "-o", "smtp_dns_support_level=dnssec",
                   "-F", self.ca_file, *arguments]
        environment = {**self.finger.environment(), "MAIL_CONFIG": str(self.hosts["ee-postfix.example"].folder)}
        answer = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
        text = answer.stdout + answer.stderr
        return "Verified TLS connection established" in text, text

    def assert_agreement(self, expected, finger_arguments):
        """Submits to all domains at once, and compares what became of each message with the second opinion."""
        domains = {self.domain(software, name): good for software in SOFTWARE for name, good in expected.items()}
        for domain in domains:
            self.submit_ok(f"user@{domain}")
        for domain, good in domains.items():
            with self.subTest(domain=domain):
                verified, text = self.finger_verifies(domain, *finger_arguments(domain))
                self.assertEqual(verified, good, text)
                if good:
                    self.hosts[domain].wait_for_message(f"user@{domain}")
                    continue
                entry = self.relay.wait_for_state(f"user@{domain}", "deferred", 45)
                self.assertTrue(entry["reason"])
                session = self.relay.ask_json("probe", "smtp", domain)[0]["hosts"][0].get("session")
                self.assertFalse(session and session["ready"], session)

    def test_the_relay_and_posttls_finger_agree_about_dane(self):
        self.assert_agreement(DANE, lambda domain: ["-l", "dane-only", domain])
        self.assertNotIn("user@", self.hosts["bare-postfix.example"].log())
        self.assertNotIn("user@", self.hosts["bare-exim.example"].log())

    def test_the_relay_and_posttls_finger_agree_about_mta_sts(self):
        # What the policy lists is given by hand: posttls-finger knows no MTA-STS.
        self.assert_agreement(STS, lambda domain: [
            "-l", "secure", domain, f"mx-{domain.split('-')[0]}.{domain.split('-')[1].split('.')[0]}.insecure.example"])


if __name__ == "__main__":
    scenario.main([lambda: debian_unpack.unpack("exim4-daemon-light")])
