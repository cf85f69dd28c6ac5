"""A receiving host of our own that does as it is told: refuses, hangs up, or counts thousands of messages.

Postfix shows that the relay works with the real thing; this one shows what happens when the other side misbehaves.
"""

import base64
import collections
import re
import socket
import ssl
import threading


class Behaviour:
    """Replies of a Sink. Each may be a string, or a function of the argument that gives a string.

    A reply of None closes the connection in place of an answer. With `login`, a function of user and password, AUTH PLAIN
    is offered inside TLS, and no mail is taken before it was answered by 235.
    """

    def __init__(self, banner="220 sink ESMTP", starttls=True, mail="250 2.1.0 Ok", rcpt="250 2.1.5 Ok",
                 data="354 go ahead", end_of_data="250 2.0.0 Ok: kept", starttls_reply="220 2.0.0 Go ahead", extensions=(), login=None, implicit_tls=False):
        self.banner = banner
        self.starttls = starttls
        self.starttls_reply = starttls_reply
        self.mail = mail
        self.rcpt = rcpt
        self.data = data
        self.end_of_data = end_of_data
        self.extensions = list(extensions)
        self.login = login
        self.implicit_tls = implicit_tls


Received = collections.namedtuple("Received", "sender recipients octets tls identity parameters user session client ehlo")


class Sink:
    """Listens on one address; a thread for each connection. `received` has every message it answered 250 for.

    A message is in `received` before its 250 is sent, so that what the relay heard of is never missing there. `refused`
    has the reply to MAIL for clients that are not wanted, by their address.
    """

    def __init__(self, folder, address, port, identity, behaviour=None):
        chain, key = identity.write(folder, f"sink-{address}-{port}")
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(chain, key)
        self.behaviour = behaviour or Behaviour()
        self.received = []
        self.refused = {}
        self.connections = 0
        self.clear_text_commands = []
        self.logins = []  # (user, password) of each AUTH
        self._lock = threading.Lock()
        self._open = True
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.listener = socket.create_server((address, port), family=family, backlog=256)
        self.thread = threading.Thread(target=self._accept, daemon=True)
        self.thread.start()

    def identities(self):
        """How often each message arrived, by the value of its X-Load-Id field."""
        with self._lock:
            return collections.Counter(message.identity for message in self.received if message.identity)

    def close(self):
        self._open = False
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join()

    def _accept(self):
        while self._open:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with self._lock:
                self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        connection.settimeout(120)
        session = Session(self, connection)
        try:
            session.run()
        except (OSError, EOFError, ssl.SSLError):
            pass
        finally:
            session.reader.close()
            session.connection.close()
            connection.close()

    def keep(self, message):
        with self._lock:
            self.received.append(message)


class Session:
    """One connection of a Sink."""

    def __init__(self, sink, connection):
        self.sink = sink
        self.connection = connection
        self.reader = connection.makefile("rb")
        self.client = connection.getpeername()[0]
        self.ehlo = None
        self.begun = False
        self.tls = False
        self.sender = None
        self.parameters = ()
        self.recipients = []
        self.user = None

    def run(self):
        if self.sink.behaviour.implicit_tls:
            self.start_tls()
        self.say(self.sink.behaviour.banner)
        while True:
            line = self.reader.readline(4096)
            if not line:
                return
            verb, _, argument = line.decode("utf-8", "replace").strip().partition(" ")
            if not self.tls:
                self.sink.clear_text_commands.append(verb.upper())
            if not self.command(verb.upper(), argument):
                return

    def start_tls(self):
        self.connection = self.sink.context.wrap_socket(self.connection, server_side=True)
        self.reader = self.connection.makefile("rb")
        self.tls = True

    def log_in(self, argument):
        """AUTH PLAIN with an initial response; once in a session (RFC 4954 §4)."""
        mechanism, _, response = argument.partition(" ")
        if self.user or mechanism.upper() != "PLAIN":
            self.say("503 5.5.1 No second login" if self.user else "504 5.5.4 Unknown mechanism")
            return
        _, user, password = base64.b64decode(response).decode().split("\0")
        self.sink.logins.append((user, password))
        if self.say(self.sink.behaviour.login(user, password)).startswith("235"):
            self.user = user

    def say(self, reply, argument=""):
        reply = reply(argument) if callable(reply) else reply
        if reply is None:
            raise EOFError
        self.connection.sendall(reply.encode() + b"\r\n")
        return reply

    def command(self, verb, argument):
        behaviour = self.sink.behaviour
        if verb == "EHLO":
            self.ehlo = argument
            extensions = ["sink", *behaviour.extensions, "PIPELINING", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES", "SIZE 104857600"]
            if behaviour.starttls and not self.tls:
                extensions.append("STARTTLS")
            if behaviour.login and self.tls:
                extensions.append("AUTH PLAIN")
            self.say("\r\n".join(f"250{' ' if line is extensions[-1] else '-'}{line}" for line in extensions))
        elif verb == "STARTTLS" and behaviour.starttls and not self.tls:
            if self.say(behaviour.starttls_reply).startswith("220"):
                self.start_tls()
        elif verb == "AUTH" and behaviour.login and self.tls:
            self.log_in(argument)
        elif verb == "MAIL" and behaviour.login and not self.user:
            self.say("530 5.7.0 Log in first")
        elif verb == "MAIL":
            self.recipients = []
            self.sender = address_in(argument)
            self.parameters = tuple(argument.partition(">")[2].split())
            self.begun = self.say(self.sink.refused.get(self.client, behaviour.mail), self.sender).startswith("2")
        elif verb == "RCPT":
            if not self.begun and self.client in self.sink.refused:
                self.say("503 5.5.1 MAIL first")
            elif self.say(behaviour.rcpt, address_in(argument)).startswith("2"):
                self.recipients.append(address_in(argument))
        elif verb == "DATA":
            self.data()
        elif verb == "RSET":
            self.sender, self.recipients = None, []
            self.say("250 2.0.0 Ok")
        elif verb == "QUIT":
            self.say("221 2.0.0 Bye")
            return False
        else:
            self.say("250 2.0.0 Ok" if verb == "NOOP" else "502 5.5.2 Unknown command")
        return True

    def data(self):
        if not self.recipients:
            self.say("503 5.5.1 No valid recipients")
            return
        if not self.say(self.sink.behaviour.data).startswith("354"):
            return
        lines = []
        while True:
            line = self.reader.readline()
            if not line:
                raise EOFError
            if line == b".\r\n":
                break
            lines.append(line[1:] if line.startswith(b".") else line)
        octets = b"".join(lines)
        found = re.search(rb"^X-Load-Id: *(\S+)", octets, re.IGNORECASE | re.MULTILINE)
        reply = self.sink.behaviour.end_of_data
        reply = reply(octets) if callable(reply) else reply
        if reply and reply.startswith("2"):
            self.sink.keep(Received(self.sender, tuple(self.recipients), octets, self.tls,
                                    found.group(1).decode() if found else None, self.parameters, self.user, id(self),
                                    self.client, self.ehlo))
        self.say(reply)


def address_in(argument):
    found = re.search(r"<(.*?)>", argument)
    return found.group(1) if found else ""
