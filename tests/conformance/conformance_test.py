"""The program `conformance` on suites made here: what it counts, what it names, and how it ends."""

import json
import os
import pathlib
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = pathlib.Path(os.environ.get("WAXWING_BUILD", ROOT / "build" / "dev")) / "conformance"

SPF_TEST = {"name": "listed", "helo": "mail.example", "host": "192.0.2.1", "mailfrom": "a@shop.example", "result": ["pass"]}
SPF_ZONE = {"shop.example": [["TXT", "v=spf1 ip4:192.0.2.1 -all"]]}
DMARC_CASE = {"id": "aligned", "from": "shop.example", "spf": [{"domain": "shop.example", "result": "pass"}], "dkim": [],
              "dns": {"_dmarc.shop.example": {"TXT": ["v=DMARC1; p=reject"]}}, "expect": {"result": "pass", "policy": "reject"}}


def run(*arguments):
    answer = subprocess.run([str(PROGRAM), *map(str, arguments)], capture_output=True, text=True, timeout=120)
    return answer.returncode, answer.stdout, answer.stderr


class Conformance(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def write(self, path, content):
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content if isinstance(content, str) else json.dumps(content))

    def spf(self, **changes):
        return [{"id": "shop", "zone": SPF_ZONE, "tests": [{**SPF_TEST, **changes}]}]

    def test_a_suite_that_agrees_gives_one_line(self):
        self.write("spf/any/tests-of-mine.json", self.spf())
        self.assertEqual(run(self.folder), (0, "spf/any 1 passed, 0 failed, 0 not scored\n", ""))

    def test_a_wrong_expectation_is_named_with_what_was_got(self):
        self.write("spf/any/cases.json", self.spf(result=["fail"]))
        status, output, _ = run(self.folder)
        self.assertEqual(status, 1)
        self.assertIn("spf/any 0 passed, 1 failed, 0 not scored\n", output)
        self.assertIn("cases.json shop listed: expected fail, got pass", output)

    def test_malformed_json_is_a_named_failure(self):
        self.write("dmarc/any/broken.json", '[{"from": ')
        self.write("dmarc/any/cases.json", {"cases": [DMARC_CASE]})
        status, output, _ = run(self.folder)
        self.assertEqual(status, 1)
        self.assertIn("dmarc/any 1 passed, 1 failed, 0 not scored\n", output)
        self.assertIn("failed: broken.json: expected JSON", output)

    def test_a_case_of_a_wrong_type_is_a_named_failure(self):
        self.write("dmarc/any/cases.json", {"cases": [{**DMARC_CASE, "id": "odd", "from": 7}]})
        status, output, _ = run(self.folder)
        self.assertEqual(status, 1)
        self.assertIn("failed: cases.json odd: expected a case in the form of its suite", output)

    def test_members_of_a_wrong_type_are_named_failures_wherever_they_stand(self):
        self.write("spf/any/cases.json", self.spf(vetted=7))
        self.write("spf/any/scenario.json", [{"id": "shop", "zone": SPF_ZONE, "tests": ["words"]}, {"zone": [7], "tests": [SPF_TEST]}])
        self.write("spf/any/receiver.json", [{"zone": SPF_ZONE, "receiver": [], "tests": 7}])
        status, output, _ = run(self.folder)
        self.assertEqual(status, 1)
        for place in ("cases.json shop listed", "scenario.json shop 1", "scenario.json 2 listed"):
            self.assertIn(f"failed: {place}: expected a case in the form of its suite", output)

    def test_a_message_that_is_missing_is_a_named_failure(self):
        for mechanism in ("dkim", "arc"):
            self.write(f"{mechanism}/any/cases.json",
                       {"cases": [{"id": "gone", "message": "msgs/gone.eml", "expect": {"pass": True, "result": ["pass"]}}]})
            status, output, _ = run("--suite", mechanism, self.folder)
            self.assertEqual(status, 1)
            self.assertIn("failed: cases.json gone: expected", output)

    def test_what_the_implementations_do_not_agree_on_is_not_scored(self):
        for vetted in ("agree1of4", "agree0", "disputed", "impl-defined"):
            self.write("spf/any/cases.json", self.spf(result=["fail"], vetted=vetted))
            self.assertEqual(run(self.folder)[:2], (0, "spf/any 0 passed, 0 failed, 1 not scored\n"))
        for vetted in ("agree2of4", "agree3", "agree10of12", "rfc"):
            self.write("spf/any/cases.json", self.spf(result=["fail"], vetted=vetted))
            self.assertEqual(run(self.folder)[0], 1)

    def test_a_choice_of_the_implementation_is_not_scored(self):
        self.write("dkim/any/m.eml", "From: a@shop.example\r\n\r\nx\r\n")
        self.write("dkim/any/cases.json", {"cases": [{"id": "open", "message": "m.eml", "expect": {"pass": None}},
                                                     {"id": "unsigned", "now": 1700000000, "message": "m.eml", "expect": {"pass": False}},
                                                     {"id": "weak", "message": "m.eml", "expect": {"pass": True},
                                                      "weak": ["rsa-sha1"]}]})
        self.assertEqual(run(self.folder)[:2], (0, "dkim/any 2 passed, 0 failed, 1 not scored\n"))

    def test_by_the_rules_of_rfc7489_the_list_of_the_suite_counts(self):
        case = {**DMARC_CASE, "spec": "rfc7489", "from": "a.shop.example", "dns": {"_dmarc.b.shop.example": {"TXT": ["v=DMARC1; p=none"]}},
                "expect": {"result": "none", "org_domain": "a.shop.example"}}
        self.write("dmarc/any/cases.json", {"cases": [case]})
        self.write("dmarc/any/public_suffix_list.dat", "shop.example\n")
        self.assertEqual(run(self.folder)[0], 0)
        self.write("dmarc/any/public_suffix_list.dat", "example\n")
        self.assertEqual(run(self.folder)[0], 1)

    def test_aliases_are_followed_as_a_resolver_does(self):
        zone = {"_dmarc.shop.example": {"CNAME": ["_dmarc.Host.example."]}, "_dmarc.host.example": {"TXT": ["v=DMARC1; p=reject"]}}
        self.write("dmarc/any/cases.json", {"cases": [{**DMARC_CASE, "dns": zone}]})
        self.assertEqual(run(self.folder)[0], 0)
        zone["_dmarc.host.example"] = {"CNAME": ["_dmarc.shop.example"]}
        self.write("dmarc/any/cases.json", {"cases": [{**DMARC_CASE, "dns": zone, "expect": {"result": "none"}}]})
        self.assertEqual(run(self.folder)[0], 0)

    def test_folders_and_files_that_are_no_suites_are_passed_over(self):
        self.write("spf/any/cases.json", self.spf())
        self.write("spf/any/other.json", {"words": "none"})
        self.write("spf/any/readme.txt", "{")
        self.write("photos/any/cases.json", "{")
        self.assertEqual(run(self.folder)[:2], (0, "spf/any 1 passed, 0 failed, 0 not scored\n"))

    def test_json_for_machines_holds_the_same(self):
        self.write("spf/any/cases.json", self.spf(result=["fail"]))
        status, output, _ = run("--json", self.folder)
        self.assertEqual(status, 1)
        report = json.loads(output)
        self.assertEqual((report["passed"], report["failed"], report["not_scored"]), (0, 1, 0))
        suite, = report["suites"]
        self.assertEqual((suite["name"], suite["passed"], suite["failed"], suite["not_scored"]), ("spf/any", 0, 1, 0))
        failure, = suite["failures"]
        self.assertEqual((failure["case"], failure["expected"]), ("cases.json shop listed", "fail"))

    def test_only_the_suites_asked_for_run(self):
        self.write("spf/any/cases.json", self.spf())
        self.write("dmarc/any/cases.json", {"cases": [DMARC_CASE]})
        self.assertEqual(run("--suite", "dmarc", self.folder)[1], "dmarc/any 1 passed, 0 failed, 0 not scored\n")
        self.assertEqual(run("--suite", "spf/any", self.folder)[1], "spf/any 1 passed, 0 failed, 0 not scored\n")

    def test_wrong_usage_and_folders_without_suites_are_told_apart_from_failures(self):
        (self.folder / "photos").mkdir()
        for arguments in ([], [self.folder], [self.folder / "none"], ["--what", self.folder], [self.folder, self.folder],
                          ["--suite"], ["--suite", "dane", self.folder]):
            status, output, error = run(*arguments)
            self.assertEqual((status, output), (64, ""), arguments)
            self.assertTrue(error.startswith("conformance: "))
        self.assertEqual(run("--help")[0], 0)


if __name__ == "__main__":
    unittest.main()
