"""`waxwing check domain` names every record that is missing, and is content once exactly these are published."""

import json
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import certificates
import scenario

EGRESS = "198.18.0.25"  # unbound answers for the reverse names of documentation addresses itself


class CheckDomain(scenario.Scenario):
    relay_settings = {"egress.addresses": [EGRESS]}

    @classmethod
    def build_world(cls):
        cls.identity = certificates.leaf(None, ["mx.recv.example"])
        cls.dns.add("mx.recv.example", "A", "127.0.0.2")

    def check(self, domain):
        answer = self.relay.command("check", "domain", domain, "--json")
        self.assertIn(answer.returncode, (0, 1), answer.stderr)
        result = json.loads(answer.stdout)
        self.assertEqual(result["in_order"], answer.returncode == 0)
        return result

    def publish(self, findings):
        for finding in findings:
            record = finding["publish"]
            if record and finding["grade"] == "wrong":
                if record["type"] == "TXT":
                    self.dns.replace_txt(record["name"], record["data"])
                else:
                    self.dns.replace(record["name"], record["type"], record["data"])
        self.dns.apply()
        time.sleep(1.5)  # the world's TTL is one second

    def test_publishing_what_is_proposed_mends_a_domain_that_had_nothing(self):
        self.relay.create_keys("bare.example", "s1", publish=False)
        result = self.check("bare.example")
        wrong = {finding["check"] for finding in result["findings"] if finding["grade"] == "wrong"}
        self.assertEqual(wrong, {"spf", "dkim", "dmarc", "ptr", "helo"})
        self.publish(result["findings"])
        result = self.check("bare.example")
        self.assertTrue(result["in_order"], result)
        self.relay.stop()
        try:
            self.assertTrue(self.check("bare.example")["in_order"])  # also when no relay runs
        finally:
            self.relay.start()
        self.assertEqual(self.relay.command("check", "domain", "not a domain").returncode, 65)

    def test_an_address_that_spf_forgets_is_added_to_the_record(self):
        self.dns.add_txt("forgets.example", "v=spf1 ip4:198.51.100.1 -all")
        self.dns.apply()
        finding = next(finding for finding in self.check("forgets.example")["findings"] if finding["check"] == "spf")
        self.assertEqual(finding["grade"], "wrong")
        self.assertEqual(finding["publish"]["data"], f"v=spf1 ip4:{EGRESS} ip4:198.51.100.1 -all")
        self.assertEqual(finding["publish"]["zone_line"],
                         f'forgets.example. IN TXT "v=spf1 ip4:{EGRESS} ip4:198.51.100.1 -all"')

    def test_tlsa_of_the_mx_hosts_is_looked_at_where_there_is_mail(self):
        self.dns.add("inbound.example", "MX", "10 mx.recv.example.")
        self.dns.add("_25._tcp.mx.recv.example", "TLSA", self.identity.tlsa())
        self.dns.apply()
        findings = {finding["check"]: finding for finding in self.check("inbound.example")["findings"]}
        self.assertEqual(findings["tlsa"]["grade"], "pass", findings["tlsa"])
        self.assertEqual(findings["mta-sts"]["grade"], "advice")
        self.assertEqual(findings["tlsrpt"]["publish"]["name"], "_smtp._tls.inbound.example")


if __name__ == "__main__":
    scenario.main()
