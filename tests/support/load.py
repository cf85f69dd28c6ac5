"""A load of small messages, with a ledger of what was acknowledged."""

import collections
import random
import socket
import threading
import time

import stock_clients


class Load:
    """Connections that submit messages, each with an identity of its own, without pause or with `pause_s` in between.

    `acknowledged` holds an identity as soon as the 250 to its final dot was read, and never before.

    @param recipients  function of a number that gives the recipient of the message of that number
    """

    def __init__(self, port, user, password, sender, recipients, connections=8, seed=1, prefix="m", pause_s=0):
        self.endpoint = ("127.0.0.1", port)
        self.login = stock_clients.plain_credentials(user, password)
        self.sender = sender
        self.recipients = recipients
        self.connections = connections
        self.prefix = prefix
        self.pause_s = pause_s
        self.random = random.Random(seed)
        self.acknowledged = set()
        self.refusals = collections.Counter()
        self._lock = threading.Lock()
        self._next = 0
        self._going = False
        self._threads = []

    def start(self):
        self._going = True
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(self.connections)]
        for thread in self._threads:
            thread.start()

    def stop(self):
        self._going = False
        for thread in self._threads:
            thread.join(60)

    def _run(self):
        while self._going:
            try:
                with socket.create_connection(self.endpoint, timeout=30) as connection:
                    self._session(connection, connection.makefile("rb"))
            except (OSError, EOFError):
                time.sleep(0.05)

    def _session(self, connection, reader):
        def reply():
            while True:
                line = reader.readline()
                if not line.endswith(b"\n"):
                    raise EOFError
                if line[3:4] != b"-":
                    return line.decode("utf-8", "replace").strip()

        def say(line):
            connection.sendall(line.encode() + b"\r\n")
            return reply()

        reply()
        say("EHLO client.example")
        if not say(f"AUTH PLAIN {self.login}").startswith("235"):
            raise EOFError
        while self._going:
            with self._lock:
                number = self._next
                self._next += 1
            identity = f"{self.prefix}{number}"
            steps = [f"MAIL FROM:<{self.sender}>", f"RCPT TO:<{self.recipients(number)}>", "DATA"]
            connection.sendall("".join(step + "\r\n" for step in steps).encode())
            replies = [reply() for _ in steps]
            if not replies[-1].startswith("354"):
                self._refused(replies)
                time.sleep(0.05)
                say("RSET")
                continue
            connection.sendall(self._content(number, identity))
            answer = reply()
            if answer.startswith("250"):
                with self._lock:
                    self.acknowledged.add(identity)
                time.sleep(self.pause_s)
            else:
                self._refused([answer])
                time.sleep(0.05)

    def _refused(self, replies):
        with self._lock:
            self.refusals[next((text[:60] for text in replies if text[0] not in "23"), replies[-1][:60])] += 1

    def _content(self, number, identity):
        head = stock_clients.message(self.sender, self.recipients(number), X_Load_Id=identity,
                                     Message_ID=f"<{identity}@load.sender.example>", Date="Thu, 01 Jan 2026 00:00:00 +0000")
        return (head + "A line of some octets to carry.\r\n" * self.size_lines + ".\r\n").encode()

    size_lines = 60


def identity_of(message_id):
    """The identity in the Message-ID of a message of a Load, or None."""
    return message_id[1:].split("@")[0] if message_id.endswith("@load.sender.example>") else None
