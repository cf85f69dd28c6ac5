#!/usr/bin/python3
"""Verifies with dkimpy what `signed_messages` signs: both signatures of every message, and that a changed message fails.

usage: verify_with_dkimpy.py SIGNED_MESSAGES [COUNT]

Exits 0 when all is well, 1 when a verdict differs, 77 (skipped) when python3-dkim or python3-nacl is not installed.
"""

import pathlib
import subprocess
import sys
import tempfile
import time

try:
    import dkim
    import nacl.signing  # noqa: F401  (dkimpy needs it for Ed25519)
except ImportError as missing:
    print(f"SKIPPED: {missing}; 'apt-get install python3-dkim python3-nacl' brings it")
    sys.exit(77)

SIGNATURES = 2


def read_records(path):
    """Key records by DNS name."""
    pairs = (line.split(b"\t", 1) for line in path.read_bytes().splitlines())
    return {name: text for name, text in pairs}


def verdicts(message, records):
    """What dkimpy says about each signature: None for a pass, else the reason."""

    def lookup(name, timeout=5):
        return records.get(name.rstrip(b"."))

    results = []
    for index in range(SIGNATURES):
        try:
            passed = dkim.DKIM(message).verify(idx=index, dnsfunc=lookup)
            results.append(None if passed else "does not verify")
        except dkim.DKIMException as problem:
            results.append(str(problem))
    return results


def tampered(message):
    """The same message as if somebody on the way had added another From."""
    at = message.index(b"\r\nFrom:") + 2
    return message[:at] + b"From: other@other.example\r\n" + message[at:]


def main():
    program = sys.argv[1]
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 200
    failures = 0
    with tempfile.TemporaryDirectory(prefix="waxwing-dkimpy-") as folder:
        subprocess.run([program, folder, str(count), str(int(time.time()))], check=True)
        folder = pathlib.Path(folder)
        records = read_records(folder / "records.txt")
        paths = sorted(folder.glob("*.eml"))
        for path in paths:
            message = path.read_bytes()
            for index, reason in enumerate(verdicts(message, records)):
                if reason is not None:
                    failures += 1
                    print(f"{path.name}: signature {index}: {reason}")
            for index, reason in enumerate(verdicts(tampered(message), records)):
                if reason is None:
                    failures += 1
                    print(f"{path.name}: signature {index} passes with an added From")
    print(f"dkimpy: {len(paths)} messages, {SIGNATURES} signatures each, {failures} differences")
    return 1 if failures or len(paths) != count else 0


if __name__ == "__main__":
    sys.exit(main())
