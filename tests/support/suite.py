"""Builds and runs tests for tests/run, which describes names and options."""

import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys
import time
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
BUILD_TIMEOUT_S = 2700

# Rooms in which threads meet.
THREADED = ("transport_io", "transport_tls", "transport_dns", "relay_observe", "relay_store", "relay_admin", "relay_delivery", "relay_daemon", "relay_signing")
# End-to-end tests that run a second time with the relay under ThreadSanitizer.
THREADED_SCENARIOS = ("cut_through", "delivery", "outcome", "submission")
# Programs that run without sanitizers: what is measured or killed under load should be what people run.
RELEASE_SCENARIOS = ("disk_faults", "kill", "power", "simulation", "systemd")


class Tally:
    """Counts tests, and prints what became of them."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.reasons = []  # why tests were skipped
        self.began = time.monotonic()

    def say(self, text):
        print(f"[{time.monotonic() - self.began:6.1f} s] {text}", flush=True)

    def add(self, name, passed, failed, skipped=0, output="", reasons=()):
        self.passed += passed
        self.failed += failed
        self.skipped += skipped
        self.reasons += [f"skipped: {name}: {reason}" for reason in reasons]
        parts = [f"{passed} passed"] + [f"{count} {word}" for count, word in ((failed, "FAILED"), (skipped, "skipped")) if count]
        self.say(f"{name}: {', '.join(parts)}")
        if failed and output:
            print(output.rstrip(), flush=True)

    def closing_lines(self):
        """What was skipped, and the line that counts."""
        line = f"{self.passed} passed, {self.failed} failed"
        return [*self.reasons, f"{line}, {self.skipped} skipped" if self.skipped else line]


def run(command, timeout_s, environment=None):
    """Runs a command; gives its status (None: it took too long) and its output."""
    try:
        answer = subprocess.run(command, cwd=ROOT, env={**os.environ, **(environment or {})}, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout_s)
        return answer.returncode, answer.stdout.decode("utf-8", "replace")
    except subprocess.TimeoutExpired as error:
        return None, (error.stdout or b"").decode("utf-8", "replace") + f"\nstopped after {timeout_s} s\n"


class Builds:
    """The presets that were asked for, each built once."""

    def __init__(self, tally, enabled):
        self.tally = tally
        self.enabled = enabled
        self.done = {}
        self.under_way = {}
        self.background = concurrent.futures.ThreadPoolExecutor(max_workers=1)

    def begin(self, preset, targets=()):
        """Builds with what the tests that run meanwhile leave of the processors; provide() waits for it."""
        key = (preset, tuple(targets))
        if self.enabled and key not in self.done and key not in self.under_way:
            self.tally.say(f"building {self.title(key)} beside what follows")
            self.under_way[key] = self.background.submit(self.build, key, ["nice", "-n", "19"])

    def provide(self, preset, targets=()):
        """Whether a preset is built; a failure is counted once."""
        key = (preset, tuple(targets))
        if not self.enabled:
            return True
        if key not in self.done:
            self.tally.say(f"{'waiting for' if key in self.under_way else 'building'} {self.title(key)}")
            failure = self.under_way.pop(key).result() if key in self.under_way else self.build(key)
            self.done[key] = failure is None
            if failure is not None:
                self.tally.add(f"build {preset}", 0, 1, output=failure)
        return self.done[key]

    @staticmethod
    def title(key):
        preset, targets = key
        return " ".join([preset, *targets])

    @staticmethod
    def build(key, prefix=()):
        """The end of the output of what failed; None: nothing did."""
        preset, targets = key
        # etc/quickstart may have configured the same folder without tests.
        for command in (["cmake", "--preset", preset, "-DWAXWING_TESTS=ON"],
                        ["cmake", "--build", "--preset", preset, *(["--target", *targets] if targets else [])]):
            status, output = run([*prefix, *command], BUILD_TIMEOUT_S)
            if status != 0:
                return "\n".join(output.splitlines()[-60:])
        return None


def test_programs(preset):
    """Rooms that have unit tests, as CMake wrote them down."""
    status, output = run(["ctest", "--test-dir", str(BUILD / preset), "--show-only"], 60)
    return re.findall(r"Test +#\d+: (\S+)", output) if status == 0 else []


def run_unit_tests(tally, preset, names, environment, patterns=()):
    """Runs test programs through ctest and counts the test cases inside them."""
    if patterns:
        for name in names:
            status, output = run([str(BUILD / preset / "tests" / f"{name}_tests"), *patterns], 600, environment)
            passed, failed = count_cases(output, status == 0)
            tally.add(f"{preset} {name}", passed, failed, output=output)
        return
    report = BUILD / preset / "tests.xml"
    report.unlink(missing_ok=True)
    run(["ctest", "--test-dir", str(BUILD / preset), "-j2", "--timeout", "600", "--output-junit", str(report),
         "--test-output-size-passed", "10000000", "--test-output-size-failed", "10000000",
         "-R", f"^({'|'.join(map(re.escape, names))})$"], 1200, environment)
    if not report.exists():
        tally.add(f"{preset} unit tests", 0, 1, output="ctest wrote no report")
        return
    for case in xml.etree.ElementTree.parse(report).getroot().iter("testcase"):
        output = case.findtext("system-out") or ""
        if case.get("status") == "notrun":
            tally.add(f"{preset} {case.get('name')}", 0, 0, 1, reasons=re.findall(r"^skipped: (.*)", output, re.MULTILINE)[:1])
            continue
        passed, failed = count_cases(output, case.get("status") == "run")
        tally.add(f"{preset} {case.get('name')}", passed, failed, output=output)


def count_cases(output, succeeded):
    """Passed and failed test cases from the last lines of a Catch2 program; a program of another kind is one case."""
    whole = re.findall(r"All tests passed \(\d+ assertions? in (\d+) test cases?\)", output)
    parts = re.findall(r"^test cases: *(\d+) \|(?: *(\d+) passed)?(?: *\|)?(?: *(\d+) failed)?", output, re.MULTILINE)
    if succeeded:
        return (int(whole[-1]) if whole else 1), 0
    if parts:
        passed, failed = int(parts[-1][1] or 0), int(parts[-1][2] or 0)
        return passed, max(failed, 1)
    return 0, 1  # it crashed, or a sanitizer ended it


def run_python_tests(tally, name, file, build, test=None, keep=False):
    """Runs one file of unittest and counts its tests; a test with several failing parts counts once."""
    environment = {"WAXWING_BUILD": str(build), "PYTHONDONTWRITEBYTECODE": "1", **({"WAXWING_KEEP": "1"} if keep else {})}
    status, output = run(["/usr/bin/python3", str(file), "-v", *([test] if test else [])], 900, environment)
    ran = re.findall(r"^Ran (\d+) tests?", output, re.MULTILINE)
    skipped = re.findall(r"skipped=(\d+)", output)
    failing = set(re.findall(r"^(?:FAIL|ERROR): \S+ \(([^)]*)\)", output, re.MULTILINE))
    failed = len(failing) or (0 if status == 0 else 1)
    skipped = int(skipped[-1]) if skipped else 0
    tests_failed = sum(1 for identity in failing if "setUpClass" not in identity)
    passed = max(int(ran[-1]) - tests_failed - skipped, 0) if ran else 0
    tally.add(name, passed, failed, skipped, output, skip_reasons(output))


def skip_reasons(output):
    """The tests that unittest's verbose output says it skipped, each with its reason."""
    test, reasons = "", []
    for line in output.splitlines():
        begun = re.match(r"(\w+) \(\S+\)", line)
        test = begun[1] if begun else test
        skipped = re.search(r"\bskipped (['\"])(.*)\1$", line)
        if skipped:
            reasons.append(f"{test}: {skipped[2]}")
    return reasons


def python_tests(folder):
    return {path.name[:-len("_test.py")]: path for path in sorted((ROOT / "tests" / folder).glob("*_test.py"))}


class Fuzzing:
    """Lets the fuzz targets of the preset `fuzz` run, each for the same time, and keeps what they find."""

    FOLDER = BUILD / "fuzz"
    LIMITS = ["-rss_limit_mb=512", "-timeout=5", "-max_len=16384"]

    def __init__(self, tally, seconds):
        self.tally = tally
        self.seconds = seconds

    def targets(self):
        return sorted(path.name[len("fuzz_"):] for path in (self.FOLDER / "tests" / "fuzz").glob("fuzz_*"))

    def run(self, names):
        """Runs targets, as many at a time as there are cores."""
        (self.FOLDER / "findings").mkdir(exist_ok=True)
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            for name, (status, output) in zip(names, pool.map(self.run_one, names)):
                done = re.search(r"^Done (\d+) runs", output, re.MULTILINE)
                runs = f", {done[1]} runs in {self.seconds} s" if done else ""
                self.tally.add(f"fuzz {name}{runs}", int(status == 0), int(status != 0), output=output[-4000:])

    def run_one(self, name):
        """One target, from the corpus that it has grown before and the seeds and words of the project."""
        grown, sources = self.FOLDER / "corpus" / name, ROOT / "tests" / "fuzz"
        grown.mkdir(parents=True, exist_ok=True)
        words = [f"-dict={sources / 'words' / name}"] if (sources / "words" / name).exists() else []
        return run([str(self.FOLDER / "tests" / "fuzz" / f"fuzz_{name}"), f"-max_total_time={self.seconds}", *self.LIMITS, *words,
                    f"-artifact_prefix={self.FOLDER}/findings/{name}-", str(grown), str(sources / "corpus" / name)],
                   self.seconds + 300)


class Suite:
    """Knows all names and runs them in a fixed order: what is quick and likely to fail comes first."""

    def __init__(self, options):
        self.options = options
        self.tally = Tally()
        self.builds = Builds(self.tally, not options.no_build)
        self.lint = python_tests("lint")
        self.scenarios = python_tests("scenarios")
        folder = pathlib.Path(options.conformance).resolve() if options.conformance else ROOT.parent / "shared" / "conformance"
        self.conformance = folder if folder.is_dir() else None
        self.unit_environment = {"WAXWING_CONFORMANCE": str(self.conformance)} if self.conformance else {}
        if options.conformance and not self.conformance:
            sys.exit(f"tests/run: there is no folder '{options.conformance}'")

    def run_all(self):
        self.run_lint(self.lint)
        if self.builds.provide("dev"):
            self.run_units(test_programs("dev"))
        self.begin_tsan()
        self.run_conformance()
        self.run_scenarios(self.scenarios)
        self.run_tsan()

    def run_units(self, names):
        run_unit_tests(self.tally, "dev", names, self.unit_environment)

    def run_conformance(self, only=""):
        """Tests the program, then runs it; each case that the suites score is one test."""
        if not self.builds.provide("dev", ["conformance"]):
            return
        run_python_tests(self.tally, "conformance program", ROOT / "tests" / "conformance" / "conformance_test.py", BUILD / "dev")
        if not self.conformance:
            self.tally.say("conformance: not run, there is no ../shared/conformance (say --conformance DIR)")
            return
        program = [str(BUILD / "dev" / "conformance"), *(["--suite", only] if only else []), str(self.conformance)]
        status, output = run([*program[:-1], "--json", program[-1]], 900)
        try:
            suites = json.loads(output)["suites"]
        except ValueError:  # a sanitizer ended it, or there is no such suite
            self.tally.add("conformance", 0, 1, output=output)
            return
        for suite in suites:
            failures = "\n".join(f"{one['case']}: expected {one['expected']}, got {one['got']}" for one in suite["failures"])
            self.tally.add(f"conformance {suite['name']} ({suite['not_scored']} not scored)", suite["passed"], suite["failed"],
                           output=failures)
        if status not in (0, 1):
            self.tally.add("conformance", 0, 1, output=f"it ended with {status}")

    def tsan_targets(self):
        """Unit tests of what uses threads, and the programs."""
        names = [name for name in test_programs("dev") if name in THREADED]
        return names, [*(f"{name}_tests" for name in names), "waxwingd", "waxwing", "waxwing-signer"]

    def begin_tsan(self):
        self.builds.begin("tsan", self.tsan_targets()[1])

    def run_tsan(self):
        if not self.builds.enabled or self.run_quiet(["cmake", "--preset", "dev"]):
            names, targets = self.tsan_targets()
            if self.builds.provide("tsan", targets):
                suppressions = ROOT / "tests" / "support" / "tsan.suppressions"
                run_unit_tests(self.tally, "tsan", names, {"TSAN_OPTIONS": f"suppressions={suppressions} exitcode=99"})
                for name in THREADED_SCENARIOS:
                    run_python_tests(self.tally, f"tsan scenario {name}", self.scenarios[name], BUILD / "tsan")

    def run_fuzzing(self, target):
        if self.builds.provide("fuzz"):
            fuzzing = Fuzzing(self.tally, self.options.seconds)
            if target and target not in fuzzing.targets():
                sys.exit(f"tests/run: unknown fuzz target '{target}'; there are {', '.join(fuzzing.targets())}")
            fuzzing.run([target] if target else fuzzing.targets())

    def run_quiet(self, command):
        status, output = run(command, 600)
        if status != 0:
            self.tally.add(" ".join(command), 0, 1, output=output)
        return status == 0

    def run_lint(self, files, test=None):
        if self.builds.provide("release", ["waxwingd", "waxwing", "waxwing-signer"]):
            for name, file in files.items():
                run_python_tests(self.tally, f"lint {name}", file, BUILD / "release", test)

    def run_scenarios(self, files, test=None):
        for name, file in files.items():
            preset = "release" if name in RELEASE_SCENARIOS else "dev"
            targets = ["waxwingd", "waxwing", "waxwing-signer"] if preset == "release" or self.options.names else []
            if name == "simulation":
                targets = ["queue_simulation"]
            if self.builds.provide(preset, targets):
                run_python_tests(self.tally, f"scenario {name}", file, BUILD / preset, test, self.options.keep)

    def run_named(self, name):
        name, _, part = name.partition(":")
        if name == "lint":
            self.run_lint(self.lint)
        elif name == "scenarios":
            self.run_scenarios(self.scenarios)
        elif name == "tsan":
            self.run_tsan()
        elif name == "fuzz":
            self.run_fuzzing(part)
        elif name in self.lint:
            self.run_lint({name: self.lint[name]}, part)
        elif name in self.scenarios:
            self.run_scenarios({name: self.scenarios[name]}, part)
        elif name == "conformance":
            self.run_conformance(part)
        else:
            self.run_named_unit(name, part)

    def run_named_unit(self, name, pattern):
        if self.builds.enabled and not self.run_quiet(["cmake", "--preset", "dev"]):
            return
        known = test_programs("dev")
        if name not in (*known, "unit"):
            sys.exit(f"tests/run: unknown name '{name}'; tests/run --list prints those there are")
        names = [name] if name in known else known
        # Programs of another kind have targets of other names, so that all is built for them.
        is_room = any((ROOT / "tests" / name.replace("_", "/", 1)).glob("*_test.cc"))
        if self.builds.provide("dev", [f"{name}_tests"] if is_room else []):
            run_unit_tests(self.tally, "dev", names, self.unit_environment, [pattern] if pattern else [])

    def list_names(self):
        print("unit", "tsan", "scenarios", "lint", "conformance", "fuzz", sep="\n")
        print(*test_programs("dev"), *self.scenarios, *self.lint, sep="\n")


def main():
    parser = argparse.ArgumentParser(prog="tests/run", add_help=False)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--conformance")
    parser.add_argument("--no-build", action="store_true")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--seconds", type=int, default=60)
    options = parser.parse_args()
    suite = Suite(options)
    if options.list:
        suite.list_names()
        return 0
    for name in options.names:
        suite.run_named(name)
    if not options.names:
        suite.run_all()
    print(*suite.tally.closing_lines(), sep="\n")
    return 1 if suite.tally.failed or not suite.tally.passed else 0


if __name__ == "__main__":
    sys.exit(main())
