"""Receiving hosts that mean ill or are broken, each in one way that has a name.

A misbehaviour is a function of one Peer, the connection that it spoils. sink.py is for hosts that merely refuse.
"""

import re
import socket
import ssl
import struct
import threading
import time

_MAX_RECORDED_OCTETS = 65_536
_FLOOD_OCTETS = 16_777_216  # more than anybody may be made to read
_MAIL = re.compile(rb"MAIL FROM|RCPT TO|^Subject:|^From:", re.IGNORECASE | re.MULTILINE)


class Peer:
    """One connection to a receiver."""

    def __init__(self, receiver, connection):
        self.receiver = receiver
        self.connection = connection
        self.buffer = b""
        self.secured = False
        self.argument = ""  # of the command that is answered now
        self.recipients = []  # accepted in this transaction

    def send(self, octets):
        self.connection.sendall(octets)

    def say(self, *lines):
        self.send("".join(f"{line}\r\n" for line in lines).encode())

    def receive(self):
        octets = self.connection.recv(65_536)
        if not self.secured:
            self.receiver.clear_text = (self.receiver.clear_text + octets)[:_MAX_RECORDED_OCTETS]
        return octets

    def line(self):
        """The next line without its end; EOFError when there is none."""
        while b"\n" not in self.buffer:
            octets = self.receive()
            if not octets:
                raise EOFError
            self.buffer += octets
        line, self.buffer = self.buffer.split(b"\n", 1)
        return line.rstrip(b"\r")

    def reset(self):
        """Ends the connection with RST."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise EOFError

    def hang(self):
        """Keeps the connection and listens to everything, until the other side has enough."""
        while self.receive():
            pass

    def flood(self, octets):
        """Says the same without end."""
        block = octets * (65_536 // len(octets) + 1)
        for _ in range(_FLOOD_OCTETS // len(block)):
            self.send(block)
            self.receiver.flooded += len(block)
        self.hang()

    def greet(self, *extensions):
        """Banner and reply to EHLO."""
        self.say("220 hostile.example ESMTP")
        self.line()
        self.offer(*extensions)

    def offer(self, *extensions):
        names = ("hostile.example", "ENHANCEDSTATUSCODES", *extensions)
        self.say(*(f"250{' ' if name is names[-1] else '-'}{name}" for name in names))

    def until_starttls(self):
        self.greet("STARTTLS")
        self.line()

    def secure(self, context=None):
        """Everything up to the end of a TLS handshake."""
        self.until_starttls()
        self.say("220 2.0.0 Go ahead")
        self.start_tls(context)

    def start_tls(self, context=None):
        self.connection = (context or self.receiver.context).wrap_socket(self.connection, server_side=True)
        self.buffer = b""
        self.secured = True

    def converse(self, **replies):
        """An honest dialogue inside TLS with some replies replaced, by verb; END is for the end of data.

        A reply may be a string, or a function of the Peer that does what it likes.
        """
        honest = {"MAIL": "250 2.1.0 Ok", "RCPT": "250 2.1.5 Ok", "DATA": "354 Go ahead", "END": "250 2.0.0 Ok",
                  "RSET": "250 2.0.0 Ok", "QUIT": "221 2.0.0 Bye"}
        while True:
            command = self.line().decode("latin-1")
            verb, self.argument = command[:4].upper(), command[4:]
            if verb == "EHLO" and verb not in replies:
                self.offer("PIPELINING", "8BITMIME")
                continue
            if verb == "BDAT" and verb not in replies:
                self.take_chunk(int(self.argument.split()[0]), replies.get("END", honest["END"]))
                continue
            if verb == "MAIL":
                self.recipients = []
            if not self.answer(replies.get(verb, honest.get(verb, "502 5.5.2 Unknown command"))):
                continue
            if verb == "RCPT":
                self.recipients.append(self.argument.partition("<")[2].partition(">")[0])
            if verb == "QUIT":
                return
            if verb == "DATA":
                self.take_content(replies.get("END", honest["END"]))

    def answer(self, reply):
        """Gives a reply; whether it opens what comes next. A function may give the reply to say."""
        if callable(reply):
            reply = reply(self)
        if reply is None:
            return False
        self.say(reply)
        return reply[0] in "23"

    def take_chunk(self, octets, reply):
        while len(self.buffer) < octets:
            received = self.receive()
            if not received:
                raise EOFError
            self.buffer += received
        content, self.buffer = self.buffer[:octets], self.buffer[octets:]
        self.keep(content, reply)

    def take_content(self, reply):
        received = b"\r\n" + self.buffer  # so that a dot that comes at once is the end, too
        while (end := received.find(b"\r\n.\r\n")) < 0:
            octets = self.receive()
            if not octets:
                raise EOFError
            received += octets
        self.buffer = received[end + 5:]
        self.keep(received[2:end + 2], reply)

    def keep(self, content, reply):
        content = content.replace(b"\r\n", b"\n")
        if content:
            self.receiver.whole.append(tuple(self.recipients))
        if not callable(reply) and reply.startswith("250 "):
            self.receiver.kept.append(content)
        self.answer(reply)


class HostileReceiver:
    """Listens on one address and treats each connection to one misbehaviour.

    @param identity      certificate that it shows
    @param misbehaviour  function of a Peer
    """

    def __init__(self, folder, address, identity, misbehaviour, port=25):
        self.chain, self.key = identity.write(folder, f"hostile-{address}")
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.set_ciphers("DEFAULT:@SECLEVEL=0")  # keys that OpenSSL finds too weak are a part of the test
        self.context.load_cert_chain(self.chain, self.key)
        self.misbehaviour = misbehaviour
        self.connections = 0
        self.flooded = 0  # octets of a flood that went out
        self.clear_text = b""
        self.kept = []
        self.whole = []  # accepted recipients of each message whose end was seen, whatever was said to it
        self.listener = socket.create_server((address, port), backlog=64)
        threading.Thread(target=self._accept, daemon=True).start()

    def saw_mail_in_clear_text(self):
        return _MAIL.search(self.clear_text) is not None

    def limit_buffers(self):
        """Has the kernel keep little of what either side has not read."""
        for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
            self.listener.setsockopt(socket.SOL_SOCKET, option, 16_384)

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        connection.settimeout(120)
        peer = Peer(self, connection)
        try:
            self.misbehaviour(peer)
        except (OSError, EOFError, ValueError):
            pass  # the relay had enough, or the misbehaviour ends the connection
        finally:
            peer.connection.close()


# What they do.

def honest(peer, **replies):
    peer.secure()
    peer.converse(**replies)


def answering(**replies):
    """Honest but for some replies inside TLS."""
    return lambda peer: honest(peer, **replies)


def saying(*lines):
    """Says this in place of a banner, and listens."""
    def misbehave(peer):
        peer.say(*lines)
        peer.hang()
    return misbehave


def after_starttls(reply, then):
    """Says this to STARTTLS, and then does something else than a handshake."""
    def misbehave(peer):
        peer.until_starttls()
        peer.say(reply)
        then(peer)
    return misbehave


def trickle(peer):
    """A banner that never ends, an octet at a time, so that there is always something to wait for."""
    peer.send(b"220-")
    while True:
        time.sleep(0.2)
        peer.send(b"x")


def no_starttls(peer):
    peer.greet("SIZE 1000000")
    peer.hang()


def old_tls(peer):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1
    context.load_cert_chain(peer.receiver.chain, peer.receiver.key)
    peer.secure(context)


def close_after_handshake(peer):
    """close_notify in place of a reply to EHLO inside TLS."""
    peer.secure()
    peer.connection.unwrap()


def reset_after_handshake(peer):
    peer.secure()
    peer.reset()


def inject(peer):
    """Replies in clear text behind the leave for STARTTLS, which would count as said inside TLS if they were kept.

    "SIZE 1" would make the message too large, and "550" would be the answer to what comes next.
    """
    peer.until_starttls()
    peer.say("220 2.0.0 Go ahead", "250-hostile.example", "250 SIZE 1", "550 5.0.0 Injected")
    peer.start_tls()
    peer.converse()


def cut_content(peer):
    """Takes the first octets of the content and resets."""
    peer.say("354 Go ahead")
    peer.line()
    peer.reset()


def say_twice(peer):
    """Two replies to one command."""
    peer.say("250 2.1.0 Ok", "250 2.1.0 Ok", "250 2.1.0 Ok", "354 Go ahead", "250 2.0.0 Ok")
