"""waxwing-signer as a process of its own user, and the words of its socket."""

import os
import pathlib
import socket
import struct

from processes import Process
from relay import build_folder, sanitizer_complaints

SIGN, LIST, SIGNATURE, LISTING, REFUSED = 1, 2, 129, 130, 131


class Signer:
    """One signer that keeps sealed keys in `folder`/keys as `user` (a number) and listens on `folder`/socket.

    @param relay_user  who may ask for signatures
    """

    def __init__(self, folder, user, relay_user):
        self.folder = pathlib.Path(folder) / "signer"
        self.folder.mkdir(mode=0o755)
        os.chown(self.folder, user, user)
        self.user = user
        self.socket = self.folder / "socket"
        secret = self.folder / "secret"
        secret.write_text(os.urandom(32).hex() + "\n")
        secret.chmod(0o600)
        os.chown(secret, user, user)
        self.settings = {"keys.directory": self.folder / "keys", "keys.sealing": "key", "keys.sealing_file": secret, "signer.socket": self.socket, "signer.relay_user": str(relay_user)}
        self.process = None

    def start(self, config_file, environment):
        command = ["setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--clear-groups", "--no-new-privs",
                   str(build_folder() / "waxwing-signer"), "--config", str(config_file)]
        self.process = Process("waxwing-signer", command, self.folder, environment)
        self.process.wait_ready(self.accepts, 60)
        return self

    def accepts(self):
        try:
            with socket.socket(socket.AF_UNIX) as probe:
                probe.connect(str(self.socket))
            return True
        except OSError:
            return False

    def stop(self):
        """SIGTERM; the exit status must be 0 and no sanitizer may have complained."""
        if self.process is None:
            return
        process, self.process = self.process, None
        status = process.stop()
        complaints = sanitizer_complaints(process.log())
        if complaints or status != 0:
            raise AssertionError(f"waxwing-signer ended with {status}: {complaints or process.log()[-3000:]}")

    def kill(self):
        """SIGKILL, as a crash would end it."""
        self.process.kill()
        self.process = None

    def log(self):
        path = self.folder / "waxwing-signer.log"
        return path.read_text(errors="replace") if path.exists() else ""


def frame(kind, body, identity=1, version=1):
    return struct.pack(">IBBI", 6 + len(body), version, kind, identity) + body


def sign_body(domain, selector, octets, tenant=""):
    return b"".join(bytes([len(text)]) + text.encode() for text in (domain, selector, tenant)) + octets


def connect(path):
    client = socket.socket(socket.AF_UNIX)
    client.connect(str(path))  # waits in line, which a socket with a timeout would not
    client.settimeout(30)
    return client


def receive(client, size):
    octets = b""
    while len(octets) < size:
        piece = client.recv(size - len(octets))
        if not piece:
            raise EOFError("the signer closed the connection")
        octets += piece
    return octets


def answer(client):
    """The next answer as (kind, identity, body)."""
    size, _, kind, identity = struct.unpack(">IBBI", receive(client, 10))
    return kind, identity, receive(client, size - 6)
