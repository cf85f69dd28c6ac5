"""A client of SCRAM-SHA-256 of our own (RFC 5802, RFC 7677), which says what it is told to: for what real clients never do."""

import base64
import hashlib
import hmac
import os


def _b64(octets):
    return base64.b64encode(octets).decode()


class Exchange:
    """One exchange.

    @param gs2_header  "n,,", "y,,", "p=tls-unique,,"
    @param channel     what the client believes to be the data of that channel binding
    """

    def __init__(self, user, password, gs2_header="n,,", channel=b""):
        self.password = password.encode()
        self.gs2_header = gs2_header
        self.channel = channel
        name = user.replace("=", "=3D").replace(",", "=2C")
        self.first_bare = f"n={name},r={_b64(os.urandom(18))}"
        self.secrets = []  # what nobody else may know, in each form that it has on its way

    def first(self):
        return _b64((self.gs2_header + self.first_bare).encode())

    def last(self, challenge):
        """Answers the challenge, in base64 as it came."""
        server_first = base64.b64decode(challenge).decode()
        fields = dict(field.split("=", 1) for field in server_first.split(","))
        without_proof = f"c={_b64(self.gs2_header.encode() + self.channel)},r={fields['r']}"
        auth_message = ",".join((self.first_bare, server_first, without_proof)).encode()
        salted = hashlib.pbkdf2_hmac("sha256", self.password, base64.b64decode(fields["s"]), int(fields["i"]))
        client_key = hmac.digest(salted, b"Client Key", "sha256")
        signature = hmac.digest(hashlib.sha256(client_key).digest(), auth_message, "sha256")
        proof = bytes(a ^ b for a, b in zip(client_key, signature))
        self.server_final = "v=" + _b64(hmac.digest(hmac.digest(salted, b"Server Key", "sha256"), auth_message, "sha256"))
        response = _b64(f"{without_proof},p={_b64(proof)}".encode())
        self.secrets = [client_key, proof, _b64(proof).encode(), response[-56:-4].encode()]
        return response

    def is_answered_by(self, challenge):
        """Whether the server has proven that it knows the password, too."""
        return base64.b64decode(challenge).decode() == self.server_final


def log_in(say, exchange, mechanism="SCRAM-SHA-256"):
    """Logs in; gives the last reply.

    @param say  says a line and gives the reply, both as octets
    """
    reply = say(f"AUTH {mechanism} {exchange.first()}".encode())
    if not reply.startswith(b"334 "):
        return reply
    reply = say(exchange.last(reply[4:].strip()).encode())
    if not reply.startswith(b"334 "):
        return reply
    assert exchange.is_answered_by(reply[4:].strip()), "the server must prove that it knows the password"
    return say(b"")
