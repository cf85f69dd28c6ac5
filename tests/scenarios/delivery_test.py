"""Where mail may go: DANE, MTA-STS, neither; and what receiving hosts store is what was signed."""

import gzip
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import certificates
import dkim
import policy_host
import scenario


class Delivery(scenario.Scenario):
    """Hosts that DANE, MTA-STS or nothing speaks for. Domains are named after what they publish."""

    relay_settings = {"tls_report.enabled": True, "tls_report.organization": "Example Hosting"}

    @classmethod
    def build_world(cls):
        dns, authority = cls.dns, cls.authority
        # Nothing about the name, date or issuer of this certificate counts for a TLSA record with usage 3.
        odd_identity = certificates.leaf(None, ["another-name.example"], key_kind="rsa", expired=True)
        cls.dane_host = cls.receiving_host("mx.dane.example", "127.0.0.2",
                                           ["dane.example", "danewrong.example", "danemended.example"], odd_identity)
        dns.add("_25._tcp.mx.dane.example", "TLSA", odd_identity.tlsa(3, 1, 1))
        for name in ("danewrong.example", "danemended.example"):
            dns.remove(name, "MX")
            dns.add(name, "MX", f"10 mx.{name}.")
            dns.add(f"mx.{name}", "A", "127.0.0.2")
            dns.add(f"_25._tcp.mx.{name}", "TLSA", certificates.wrong_tlsa())

        named_identity = certificates.leaf(authority, ["mx.daneta.example", "mx.sts.example"])
        cls.named_host = cls.receiving_host("mx.daneta.example", "127.0.0.3",
                                            ["daneta.example", "daneunusable.example", "sts.insecure.example",
                                             "stsunlisted.insecure.example", "ststesting.insecure.example"], named_identity)
        dns.add("_25._tcp.mx.daneta.example", "TLSA", authority.tlsa(2, 1, 1))
        dns.replace("daneunusable.example", "MX", "10 mx.daneunusable.example.")
        dns.add("mx.daneunusable.example", "A", "127.0.0.3")
        dns.add("_25._tcp.mx.daneunusable.example", "TLSA", certificates.wrong_tlsa(usage=1))

        selfsigned = certificates.leaf(None, ["mx.plain.example"])
        cls.plain_host = cls.receiving_host("mx.plain.example", "127.0.0.4", ["plain.example", "stswrong.insecure.example"], selfsigned)
        cls.bare_host = cls.receiving_host("mx.bare.example", "127.0.0.5", ["bare.example"], None)

        dns.add_zone("insecure.example", signed=False)
        cls.policies = policy_host.PolicyHost(cls.folder, "127.0.0.10", 443, certificates.leaf(authority, [
            f"mta-sts.{name}.insecure.example" for name in ("sts", "stswrong", "stsunlisted", "ststesting")]))
        cls.addClassCleanup(cls.policies.close)
        for name in ("sts", "stswrong", "stsunlisted", "ststesting"):
            domain = f"{name}.insecure.example"
            dns.add_txt(f"_mta-sts.{domain}", "v=STSv1; id=20260101")
            dns.add(f"mta-sts.{domain}", "A", "127.0.0.10")
            dns.remove(domain, "MX")
        for name, mx, mode, patterns in (
                ("sts", "mx.sts.example", "enforce", ["mx.sts.example"]),
                ("stsunlisted", "mx.sts.example", "enforce", ["mx.elsewhere.example"]),
                ("ststesting", "mx.sts.example", "testing", ["mx.elsewhere.example"]),
                ("stswrong", "mx.plain.example", "enforce", ["mx.plain.example"])):
            dns.add(f"{name}.insecure.example", "MX", f"10 {mx}.")
            cls.policies.publish(f"{name}.insecure.example", mode, patterns)
        dns.add("mx.sts.example", "A", "127.0.0.3")

        bogus = dns.add_zone("bogus.example")
        bogus.expired = True
        dns.add("bogus.example", "MX", "10 mx.plain.example.")
        dns.add("tlsabogus.example", "MX", "10 mx.tlsabogus.example.")
        dns.add("mx.tlsabogus.example", "A", "127.0.0.4")
        dns.add("_25._tcp.mx.tlsabogus.example", "TLSA", certificates.wrong_tlsa())
        dns.break_signature("_25._tcp.mx.tlsabogus.example", "TLSA")
        dns.add("nullmx.example", "MX", "0 .")
        dns.add_txt("_smtp._tls.dane.example", "v=TLSRPTv1; rua=mailto:reports@plain.example")
        dns.add_txt("_smtp._tls.daneta.example", "v=TLSRPTv1; rua=https://reports.plain.example/tls?v=1")
        dns.add("reports.plain.example", "A", "127.0.0.10")

    def tearDown(self):
        self.drop_queue()

    def test_mail_goes_to_a_host_whose_key_the_tlsa_record_names_whatever_else_its_certificate_says(self):
        self.submit_ok("one@dane.example")
        stored = self.dane_host.wait_for_message("one@dane.example")
        self.assertIn(b"TLSv1.3", stored.octets)
        self.relay.wait_until_delivered()

    def test_both_signatures_of_what_postfix_stored_are_verified_by_dkimpy(self):
        text = "From: Ann <ann@sender.example>\r\nTo: two@dane.example\r\nSubject: A folded\r\n subject\r\n\r\n" \
               "Lines  with \t spaces \r\n.leading dot\r\n..two dots\r\n\r\nEnd\r\n\r\n\r\n"
        self.submit_ok("two@dane.example", text=text)
        stored = self.dane_host.wait_for_message("two@dane.example")
        wire = stored.from_first_signature()
        signatures = stored.parsed().get_all("DKIM-Signature")
        self.assertEqual({algorithm for algorithm in ("rsa-sha256", "ed25519-sha256")
                          if any(algorithm in signature for signature in signatures)}, {"rsa-sha256", "ed25519-sha256"})
        self.assertEqual(len(signatures), 2)
        for index in range(len(signatures)):
            with self.subTest(signature=signatures[index][:60]):
                verifier = dkim.DKIM(wire)
                self.assertTrue(verifier.verify(idx=index, dnsfunc=self.dns.lookup_txt))
                self.assertEqual(verifier.domain, b"sender.example")

    def test_a_changed_message_fails_both_signatures(self):
        self.submit_ok("changed@dane.example")
        wire = self.dane_host.wait_for_message("changed@dane.example").from_first_signature().replace(b"Hello.", b"Hellu.")
        for index in range(2):
            with self.assertRaisesRegex(dkim.ValidationError, "body hash mismatch"):
                dkim.DKIM(wire).verify(idx=index, dnsfunc=self.dns.lookup_txt)

    def test_the_signed_fields_are_oversigned_so_that_none_can_be_added(self):
        self.submit_ok("three@dane.example")
        signature = self.dane_host.wait_for_message("three@dane.example").parsed()["DKIM-Signature"]
        fields = signature.split(" h=")[1].split(";")[0].replace(" ", "").lower().split(":")
        for name in ("from", "to", "subject"):
            self.assertGreaterEqual(fields.count(name), 2, name)

    def test_mail_waits_when_no_tlsa_record_matches_and_the_reason_says_so(self):
        self.submit_ok("one@danewrong.example")
        entry = self.assert_deferred("one@danewrong.example", "mx.danewrong.example", "TLSA")
        self.assertGreaterEqual(entry["attempts"], 1)
        self.assertEqual(self.dane_host.messages("one@danewrong.example"), [])

    def test_mail_that_waited_for_a_wrong_tlsa_record_goes_once_it_is_right(self):
        self.submit_ok("later@danemended.example")
        self.assert_deferred("later@danemended.example", "TLSA")
        self.dns.replace("_25._tcp.mx.danemended.example", "TLSA", self.dane_host.identity.tlsa())
        self.dns.apply()
        self.relay.ask("queue", "retry", self.relay.queue_entry("later@danemended.example")["id"])
        self.dane_host.wait_for_message("later@danemended.example")
        self.relay.wait_until_delivered()

    def test_mail_goes_to_a_host_whose_authority_the_tlsa_record_names(self):
        self.submit_ok("one@daneta.example")
        self.named_host.wait_for_message("one@daneta.example")

    def test_unusable_tlsa_records_alone_still_force_tls(self):
        self.submit_ok("one@daneunusable.example")
        self.assertIn(b"TLSv1", self.named_host.wait_for_message("one@daneunusable.example").octets)

    def test_mail_waits_when_dnssec_of_the_domain_is_bogus(self):
        self.submit_ok("one@bogus.example")
        self.assert_deferred("one@bogus.example", "bogus.example")

    def test_mail_waits_when_the_tlsa_lookup_fails(self):
        self.submit_ok("one@tlsabogus.example")
        self.assert_deferred("one@tlsabogus.example", "TLSA")
        self.assertEqual(self.plain_host.messages("one@tlsabogus.example"), [])

    def test_mail_goes_to_a_host_that_the_mta_sts_policy_lists_and_whose_certificate_is_good(self):
        self.submit_ok("one@sts.insecure.example")
        self.named_host.wait_for_message("one@sts.insecure.example")
        self.assertIn(("mta-sts.sts.insecure.example", "/.well-known/mta-sts.txt"), self.policies.requests)

    def test_mail_waits_when_a_policy_in_mode_enforce_does_not_list_the_host(self):
        self.submit_ok("one@stsunlisted.insecure.example")
        self.assert_deferred("one@stsunlisted.insecure.example", "MTA-STS")
        self.assertEqual(self.named_host.messages("one@stsunlisted.insecure.example"), [])

    def test_mail_waits_when_a_policy_in_mode_enforce_meets_a_certificate_of_nobody(self):
        self.submit_ok("one@stswrong.insecure.example")
        self.assert_deferred("one@stswrong.insecure.example", "mx.plain.example", "certificate")
        self.assertEqual(self.plain_host.messages("one@stswrong.insecure.example"), [])

    def test_a_policy_in_mode_testing_holds_nothing_back(self):
        self.submit_ok("one@ststesting.insecure.example")
        self.named_host.wait_for_message("one@ststesting.insecure.example")

    def test_mail_to_a_domain_without_policy_is_encrypted_to_whoever_answers(self):
        self.submit_ok("one@plain.example")
        self.assertIn(b"TLSv1.3", self.plain_host.wait_for_message("one@plain.example").octets)

    def test_mail_waits_when_the_host_does_not_offer_starttls(self):
        self.submit_ok("one@bare.example")
        self.assert_deferred("one@bare.example", "STARTTLS")
        self.assertEqual(self.bare_host.messages("one@bare.example"), [])
        self.assertNotIn("client=", self.bare_host.log(), "no envelope may be sent in clear text")

    def test_a_probe_tells_what_sessions_prove_and_sends_nothing(self):
        for domain, ready, level, result_type in (("dane.example", True, "authenticated", None),
                                                  ("danewrong.example", False, "plaintext", "certificate-not-trusted"),
                                                  ("bare.example", False, "plaintext", "starttls-not-supported")):
            with self.subTest(domain=domain):
                session = self.relay.ask_json("probe", "smtp", domain)[0]["hosts"][0]["session"]
                self.assertEqual((session["ready"], session["level"], session.get("result_type")), (ready, level, result_type))

    def test_a_probe_of_one_protection_tells_whether_it_holds_and_what_stands_in_the_way(self):
        for protection, domain, finding in (("dane", "dane.example", None), ("dane", "danewrong.example", "certificate-not-trusted"),
                                            ("dane", "plain.example", "has no TLSA records"),
                                            ("dane", "daneunusable.example", "is usable"),
                                            ("dane", "tlsabogus.example", "failed DNSSEC validation"),
                                            ("dane", "sts.insecure.example", "MX records of sts.insecure.example are not secured"),
                                            ("mta-sts", "sts.insecure.example", None),
                                            ("mta-sts", "ststesting.insecure.example", "in mode testing"),
                                            ("mta-sts", "stsunlisted.insecure.example", "does not list mx.sts.example"),
                                            ("mta-sts", "stswrong.insecure.example", "certificate-not-trusted"),
                                            ("mta-sts", "dane.example", "no MTA-STS policy")):
            with self.subTest(protection=protection, domain=domain):
                answer = self.relay.command("probe", protection, domain, "--json")
                probe = json.loads(answer.stdout)
                self.assertEqual(probe["protected"], finding is None, probe["findings"])
                self.assertEqual(answer.returncode, 0 if finding is None else 1)
                if finding:
                    self.assertTrue(any(finding in sentence for sentence in probe["findings"]), probe["findings"])

    def test_sessions_are_counted_for_reports_by_the_policy_of_the_domain(self):
        for name in ("dane.example", "danewrong.example", "sts.insecure.example", "ststesting.insecure.example", "bare.example"):
            self.submit_ok(f"counted@{name}")
        self.dane_host.wait_for_message("counted@dane.example")
        self.named_host.wait_for_message("counted@sts.insecure.example")
        self.named_host.wait_for_message("counted@ststesting.insecure.example")
        self.assert_deferred("counted@danewrong.example", "TLSA")
        self.assert_deferred("counted@bare.example", "STARTTLS")
        for name, policy_type, result_type in (("dane.example", "tlsa", None),
                                               ("danewrong.example", "tlsa", "certificate-not-trusted"),
                                               ("sts.insecure.example", "sts", None),
                                               ("ststesting.insecure.example", "sts", "validation-failure"),
                                               ("bare.example", "no-policy-found", "starttls-not-supported")):
            with self.subTest(domain=name):
                report = json.loads(self.relay.ask("report", "tls", "show", name))
                policies = [entry for entry in report["policies"] if entry["policy"]["policy-type"] == policy_type]
                self.assertTrue(policies, report)
                failures = {failure["result-type"] for entry in policies for failure in entry.get("failure-details", [])}
                self.assertEqual(failures, {result_type} if result_type else set())
                if not result_type:
                    self.assertGreater(policies[0]["summary"]["total-successful-session-count"], 0)

    def counted_sessions(self, domain):
        return sum(day["successes"] + day["failures"] for day in self.relay.ask_json("report", "tls", "list")
                   if day["domain"] == domain)

    def test_what_was_counted_is_sent_as_signed_mail_and_makes_no_report_about_itself(self):
        # Later in the alphabet than the test of the counts, which it takes away: a connection that is kept counts no session anew.
        self.relay.create_keys("relay.sender.example", "t1")
        self.relay.reload()
        scenario.processes.wait_until(lambda: self.relay.events("keys_loaded"), 20, "keys")
        self.submit_ok("reported@dane.example")
        self.dane_host.wait_for_message("reported@dane.example")
        self.relay.wait_until_delivered()
        sessions_with_plain = self.counted_sessions("plain.example")
        self.relay.ask("report", "tls", "send", "dane.example")
        stored = self.plain_host.wait_for_message("reports@plain.example")
        self.relay.wait_until_delivered()
        parsed = stored.parsed()
        self.assertEqual(parsed["TLS-Report-Domain"], "dane.example")
        self.assertEqual(parsed["TLS-Report-Submitter"], "relay.sender.example")
        self.assertTrue(dkim.DKIM(stored.from_first_signature()).verify(dnsfunc=self.dns.lookup_txt))
        part = next(part for part in parsed.walk() if part.get_content_type() == "application/tlsrpt+gzip")
        report = json.loads(gzip.decompress(part.get_payload(decode=True)))
        policies = [entry["policy"]["policy-type"] for entry in report["policies"]]
        self.assertEqual(policies, ["tlsa"])
        self.assertGreater(report["policies"][0]["summary"]["total-successful-session-count"], 0)
        self.assertEqual(self.counted_sessions("dane.example"), 0, "what was reported is not reported again")
        self.assertEqual(self.counted_sessions("plain.example"), sessions_with_plain)

    def test_what_was_counted_is_posted_where_the_domain_wants_it_whatever_the_certificate(self):
        self.submit_ok("posted@daneta.example")
        self.named_host.wait_for_message("posted@daneta.example")
        self.relay.wait_until_delivered()
        self.relay.ask("report", "tls", "send", "daneta.example")
        scenario.processes.wait_until(lambda: self.policies.posted, 20, "the report")
        host, path, content_type, content = self.policies.posted[0]
        self.assertEqual((host, path, content_type), ("reports.plain.example", "/tls?v=1", "application/tlsrpt+gzip"))
        report = json.loads(gzip.decompress(content))
        self.assertEqual((report["organization-name"], report["contact-info"]), ("Example Hosting", "postmaster@relay.sender.example"))
        self.assertEqual([entry["policy"]["policy-domain"] for entry in report["policies"]], ["mx.daneta.example"])
        scenario.processes.wait_until(lambda: self.counted_sessions("daneta.example") == 0, 20, "what was posted is not posted again")

    def test_explain_says_what_would_happen_and_why(self):
        for address, words in (("x@dane.example", ["mx.dane.example", "TLSA"]), ("x@sts.insecure.example", ["MTA-STS", "enforce"]),
                               ("x@plain.example", ["mx.plain.example"]), ("x@nullmx.example", ["nullmx.example"])):
            with self.subTest(address=address):
                answer = self.relay.command("explain", address)
                for word in words:
                    self.assertIn(word, answer.stdout)


if __name__ == "__main__":
    scenario.main()
