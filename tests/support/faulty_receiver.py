"""What servers do wrong inside an SMTP session, each a function of hostile_receiver.Peer.

A reply in a table is octets or a string to say, or one of these.
"""

import socket
import time

from hostile_receiver import honest


def close(peer):
    """Ends the connection without a word, and without the end of TLS."""
    peer.connection.shutdown(socket.SHUT_RDWR)
    raise EOFError


def end_tls(peer):
    """close_notify in place of a reply."""
    peer.connection.unwrap()
    raise EOFError


def raw(octets):
    """Says just these octets, and goes on as if that had been a reply."""
    def say(peer):
        peer.send(octets)
    return say


def raw_then_close(octets):
    def say(peer):
        peer.send(octets)
        close(peer)
    return say


def raw_then_hang(octets):
    def say(peer):
        peer.send(octets)
        peer.hang()
    return say


def flood(octets):
    return lambda peer: peer.flood(octets)


def slowly(reply):
    """An octet at a time."""
    def say(peer):
        for octet in f"{reply}\r\n".encode():
            peer.send(bytes([octet]))
            time.sleep(0.005)
        return None
    return say


def trickle_inside(peer):
    """Never comes to an end, and never falls silent."""
    peer.send(b"250-")
    while True:
        time.sleep(0.2)
        peer.send(b"x")


def only_for(local_part, reply, otherwise="250 2.1.5 Ok"):
    """A reply to RCPT of one recipient."""
    return lambda peer: reply if f"<{local_part}@" in peer.argument else otherwise


def after_the_first(reply):
    """A reply to RCPT of all but the first recipient of a transaction."""
    return lambda peer: reply if peer.recipients else "250 2.1.5 Ok"


def once(reply, otherwise):
    """The first time this, then that."""
    replies = iter([reply])
    return lambda _: next(replies, otherwise)


def offering(*extensions):
    """A reply to EHLO inside TLS."""
    return lambda peer: peer.offer(*extensions)


def at_greeting(act):
    """Before anything is said."""
    return act


def at_ehlo(act):
    """In place of the reply to EHLO in clear."""
    def misbehave(peer):
        peer.say("220 faulty.example ESMTP")
        peer.line()
        perform(peer, act)
        peer.hang()
    return misbehave


def at_starttls(act):
    def misbehave(peer):
        peer.until_starttls()
        perform(peer, act)
        peer.hang()
    return misbehave


def in_handshake(act):
    """After the first octets of the handshake."""
    def misbehave(peer):
        peer.until_starttls()
        peer.say("220 2.0.0 Go ahead")
        peer.receive()
        perform(peer, act)
        peer.hang()
    return misbehave


def after_handshake(act):
    """Inside TLS, before anything is asked there."""
    def misbehave(peer):
        peer.secure()
        perform(peer, act)
        peer.converse()
    return misbehave


def perform(peer, act):
    reply = act(peer) if callable(act) else act
    if reply is not None:
        peer.say(reply)


def inside(**replies):
    """Honest but for some replies inside TLS."""
    return lambda peer: honest(peer, **replies)


def cut_in_content(act):
    """Opens the content, takes a part of it, and does something else."""
    def misbehave(peer):
        peer.say("354 Go ahead")
        peer.line()
        perform(peer, act)
        peer.hang()
    return misbehave


def broken_record(peer):
    """An alert in clear where a record of TLS belongs."""
    send_below_tls(peer, b"\x15\x03\x03\x00\x02\x02\x28")


def garbage_record(peer):
    send_below_tls(peer, b"\x17\x03\x03\x00\x20" + bytes(range(32)))


def send_below_tls(peer, octets):
    descriptor = peer.connection.fileno()
    with socket.socket(fileno=descriptor) as below:
        below.sendall(octets)
        below.detach()


def half_close(peer):
    """Says no more, and goes on listening."""
    descriptor = peer.connection.fileno()
    with socket.socket(fileno=descriptor) as below:
        below.shutdown(socket.SHUT_WR)
        below.detach()
    peer.hang()


def stop_reading(peer):
    """Opens the content and does not read it."""
    peer.say("354 Go ahead")
    time.sleep(60)


def leave_rcpt_out(peer):
    """Answers RCPT with nothing at all, so that the next reply seems to be its."""
    return None

