#!/usr/bin/python3
"""Compares our signatures and verdicts with those of dkimpy, libopendkim and Mail::DKIM, in both directions.

usage: peers_test.py BUILD_FOLDER [--count N] [--seed N]

Every message is signed by us (RSA and Ed25519) and verified by each, and signed by each and verified by us; ARC chains go
through the hands of dkimpy, Mail::DKIM and us, in every order. Messages that were changed on the way must fail everywhere.
Exits 77 (skipped) when a peer is missing.
"""

import argparse
import collections
import concurrent.futures
import importlib.util
import io
import pathlib
import subprocess
import sys
import tempfile
import time

import message_bundle

HERE = pathlib.Path(__file__).resolve().parent
COUNT, SEED = 2000, 6376
CHANGED_EVERY = 10  # of the signed messages, one in so many is changed
CHAINS = 30
FIRST_RESULTS = b"Authentication-Results: sender.example; spf=pass smtp.mailfrom=sender.example\r\n"
SECOND_RESULTS = b"Authentication-Results: sender.example; arc=pass\r\n"



class Peer:
    """A program that signs and verifies bundles."""

    def __init__(self, name, command, *arguments):
        self.name = name
        self.command = [str(part) for part in command]
        self.arguments = [str(argument) for argument in arguments]

    def run(self, verb, bundle, *arguments):
        answer = subprocess.run([*self.command, verb, *(arguments or self.arguments)], input=bundle, capture_output=True)
        if answer.returncode != 0 or answer.stderr.strip():
            raise RuntimeError(f"{self.name} {verb} ended with {answer.returncode}: {answer.stderr.decode(errors='replace')}")
        return answer.stdout

    def change(self, verb, messages):
        """Messages with what signing or sealing adds."""
        return message_bundle.read(io.BytesIO(self.run(verb, as_bundle(messages))))

    def judge(self, verb, messages):
        """Verdicts by the name of the message."""
        lines = (line.split() for line in self.run(verb, as_bundle(messages)).decode().splitlines())
        return {words[0]: words[1:] for words in lines}


class Comparison:
    """Counts verdicts, and tells those that differ."""

    SHOWN = 5

    def __init__(self):
        self.failures = collections.Counter()
        self.count = 0

    def expect(self, what, verdicts, messages, accepts):
        """Each message must have a verdict that `accepts`."""
        for name, _ in messages:
            self.count += 1
            verdict = verdicts.get(name, ["missing"])
            if not accepts(verdict):
                self.failures[what] += 1
                if self.failures[what] <= self.SHOWN:
                    print(f"{what}: message {name}: {' '.join(verdict) or 'no signature seen'}")


def as_bundle(messages):
    stream = io.BytesIO()
    for name, message in messages:
        message_bundle.write(stream, name, message)
    return stream.getvalue()


def missing_packages(build):
    missing = [package for module, package in (("dkim", "python3-dkim"), ("nacl", "python3-nacl"),
                                               ("authres", "python3-authres"), ("cryptography", "python3-cryptography"))
               if not importlib.util.find_spec(module)]
    if subprocess.run(["perl", "-MMail::DKIM::ARC::Signer", "-e", "1"], capture_output=True).returncode != 0:
        missing.append("libmail-dkim-perl")
    if not (build / "opendkim_peer").exists():
        missing.append("libopendkim-dev (when building)")
    return missing


def header_and_body(message):
    at = message.index(b"\r\n\r\n") + 4
    return message[:at], message[at:]


def added_author(message):
    """As if somebody on the way had added another From."""
    at = message.index(b"\r\nFrom:") + 2
    return message[:at] + b"From: other@other.example\r\n" + message[at:]


def added_line(message):
    header, body = header_and_body(message)
    return header + b"An added line.\r\n" + body


def changed(messages):
    """Some of the messages, changed in their header or in their body."""
    some = messages[::CHANGED_EVERY]
    return [(name, (added_author, added_line)[index % 2](message)) for index, (name, message) in enumerate(some)]


def all_pass(signatures):
    return lambda verdict: verdict == ["pass"] * signatures


def none_passes(verdict):
    return verdict and not any(word == "pass" for word in verdict)


def without_arc(verdicts):
    return {name: [word for word in words if not word.startswith("arc=")] for name, words in verdicts.items()}


def arc_only(verdicts):
    return {name: [word for word in words if word.startswith("arc=")] for name, words in verdicts.items()}


def passes_by_type(verdicts, ed25519):
    """For a peer without Ed25519, the verdict of the RSA signature alone, which is the first of ours."""
    return verdicts if ed25519 else {name: words[:1] for name, words in verdicts.items()}


def compare_our_signatures(comparison, own, peers, plain):
    """What we sign, they verify."""
    signed = own.change("sign", plain)
    spoilt = changed(signed)
    comparison.expect("signed by us, verified by us", without_arc(own.judge("verify", signed)), signed, all_pass(2))
    comparison.expect("changed, verified by us", without_arc(own.judge("verify", spoilt)), spoilt, none_passes)
    for peer in peers:
        ed25519 = peer.name != "Mail::DKIM"
        verdicts = passes_by_type(peer.judge("verify", signed), ed25519)
        comparison.expect(f"signed by us, verified by {peer.name}", verdicts, signed, all_pass(2 if ed25519 else 1))
        comparison.expect(f"changed, verified by {peer.name}", peer.judge("verify", spoilt), spoilt, none_passes)


def compare_their_signatures(comparison, own, peer, plain):
    """What they sign, we verify."""
    signed = peer.change("sign", plain)
    verdicts = without_arc(own.judge("verify", signed))
    comparison.expect(f"signed by {peer.name}, verified by us", verdicts, signed, all_pass(1))
    spoilt = [(name, added_line(message)) for name, message in signed[::CHANGED_EVERY]]
    comparison.expect(f"signed by {peer.name}, changed", without_arc(own.judge("verify", spoilt)), spoilt, none_passes)


def compare_chains(comparison, own, sealers, plain):
    """Chains of two sets from every pair of sealers; everybody validates both sets."""
    validators = [("us", lambda messages: arc_only(own.judge("verify", messages)))]
    validators += [(peer.name, lambda messages, peer=peer: peer.judge("validate", messages)) for peer in sealers[1:]]
    for first in sealers:
        once = first.change("seal", [(name, FIRST_RESULTS + message) for name, message in plain])
        for name, validate in validators:
            comparison.expect(f"sealed by {first.name}, validated by {name}", validate(once), once, lambda v: v == ["arc=pass"])
        spoilt = [(name, added_line(message)) for name, message in once[::CHANGED_EVERY]]
        for name, validate in validators:
            comparison.expect(f"sealed by {first.name}, changed, validated by {name}", validate(spoilt), spoilt,
                              lambda v: v and v != ["arc=pass"])
        for second in sealers:
            twice = second.change("seal", [(name, SECOND_RESULTS + message) for name, message in once])
            for name, validate in validators:
                comparison.expect(f"sealed by {first.name} and {second.name}, validated by {name}", validate(twice), twice,
                                  lambda v: v == ["arc=pass"])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--count", type=int, default=COUNT)
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args()
    if missing := missing_packages(options.build):
        print(f"SKIPPED: install {' '.join(missing)}")
        return 77
    comparison = Comparison()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="waxwing-peers-") as folder, concurrent.futures.ThreadPoolExecutor(2) as pool:
        own = Peer("us", [options.build / "own_peer"], folder, int(time.time()))
        dkimpy = Peer("dkimpy", ["/usr/bin/python3", HERE / "dkimpy_peer.py"], folder)
        opendkim = Peer("libopendkim", [options.build / "opendkim_peer"], folder)
        mail_dkim = Peer("Mail::DKIM", ["/usr/bin/perl", HERE / "mail_dkim_peer.pl"], folder)
        own.run("keys", b"", folder)
        plain = message_bundle.read(io.BytesIO(own.run("generate", b"", str(options.count), str(options.seed))))
        peers = [opendkim, mail_dkim, dkimpy]
        work = [pool.submit(compare_our_signatures, comparison, own, peers, plain)]
        work += [pool.submit(compare_their_signatures, comparison, own, peer, plain) for peer in peers]
        work.append(pool.submit(compare_chains, comparison, own, [own, dkimpy, mail_dkim], plain[:CHAINS]))
        for job in work:
            job.result()
    for what, count in sorted(comparison.failures.items()):
        print(f"{what}: {count} differ")
    print(f"{len(plain)} messages, seed {options.seed}: {comparison.count} verdicts, {sum(comparison.failures.values())} differ, "
          f"{time.monotonic() - began:.0f} s")
    return 1 if comparison.failures or len(plain) != options.count else 0


if __name__ == "__main__":
    sys.exit(main())
