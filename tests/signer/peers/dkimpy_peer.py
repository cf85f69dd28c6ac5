#!/usr/bin/python3
"""dkimpy's side of the comparison: `dkimpy_peer.py sign|seal|verify|validate FOLDER`, messages on standard input and output as
message_bundle.h has them. `validate` is verification of ARC chains."""

import base64
import multiprocessing
import pathlib
import sys

import dkim
import message_bundle
from cryptography.hazmat.primitives import serialization

DOMAIN = b"sender.example"
FORMS = (b"relaxed", b"simple")


class Peer:
    """The keys and records of a folder."""

    def __init__(self, folder):
        folder = pathlib.Path(folder)
        pairs = (line.split(b"\t", 1) for line in (folder / "records.txt").read_bytes().splitlines())
        self.records = dict(pairs)
        load = serialization.load_pem_private_key
        self.rsa = load((folder / "rsa.pem").read_bytes(), None).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption())
        self.ed25519 = base64.b64encode(load((folder / "ed25519.pem").read_bytes(), None).private_bytes(
            serialization.Encoding.Raw, serialization.PrivateFormat.Raw, serialization.NoEncryption()))

    def lookup(self, name, timeout=5):
        return self.records.get(name.rstrip(b"."))

    def sign(self, name, message):
        number = int(name)
        ed25519 = number // 4 % 2 == 1
        field = dkim.sign(message, b"ed25519" if ed25519 else b"rsa", DOMAIN, self.ed25519 if ed25519 else self.rsa,
                          canonicalize=(FORMS[number % 2], FORMS[number // 2 % 2]),
                          signature_algorithm=b"ed25519-sha256" if ed25519 else b"rsa-sha256")
        return field + message

    def seal(self, name, message):
        return b"".join(dkim.arc_sign(message, b"rsa", DOMAIN, self.rsa, DOMAIN)) + message

    def verify(self, name, message):
        """What becomes of each signature."""
        results = []
        for index in range(message_bundle.count_fields(message, b"dkim-signature")):
            try:
                results.append("pass" if dkim.DKIM(message).verify(idx=index, dnsfunc=self.lookup) else "fail")
            except dkim.DKIMException as problem:
                results.append("error:" + str(problem).replace(" ", "_"))
        return results

    def validate(self, name, message):
        result, _, reason = dkim.arc_verify(message, dnsfunc=self.lookup)
        return ["arc=" + (result or b"fail").decode() + ("" if result == dkim.CV_Pass else ":" + reason.replace(" ", "_"))]


def work(arguments):
    peer, command, name, message = arguments
    return name, getattr(peer, command)(name, message)


def main():
    command, folder = sys.argv[1:]
    peer = Peer(folder)
    jobs = [(peer, command, name, message) for name, message in message_bundle.read(sys.stdin.buffer)]
    with multiprocessing.Pool() as pool:
        for name, result in pool.imap(work, jobs, chunksize=25):
            if isinstance(result, bytes):
                message_bundle.write(sys.stdout.buffer, name, result)
            else:
                print(name, *result)


if __name__ == "__main__":
    main()
