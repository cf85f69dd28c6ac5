"""Receivers whose server is broken or means ill, each in one way: the right outcome, nothing lost, nothing twice.

All messages are submitted at once, one domain for each fault. Then all receivers are mended, and what waits is tried
again: whatever was not delivered must arrive, and whatever was must not arrive again.
"""

import collections
import pathlib
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import faulty_receiver as faulty
import hostile_receiver as hostile
import hostile_world
import private_namespace
import processes
import scenario
import stock_clients

REPLY_TIMEOUT_S = 6
LIMIT_S = 50
MAX_FLOOD_OCTETS = 1_048_576  # of a reply that never ends: 64 KiB and what the kernel's buffers take
MAX_SHOWN_OCTETS = 1_200  # of a reply and its sentence in one line of log, report or terminal

Fault = collections.namedtuple("Fault", "does expected arrives recipients text", defaults=(("x",), None))


def large_text(recipient):
    return stock_clients.message(scenario.SENDER, recipient, subject="large") + "0123456789abcdef\n" * 80_000


# What the receiver does · what becomes of the recipients · how many whole messages reach it. Unless another stage is
# named, everything happens inside TLS.
D, W, B = "delivered", "deferred", "bounced"
drop, say, hang, flood, inside = faulty.close, faulty.raw, hostile.Peer.hang, faulty.flood, faulty.inside
FAULTS = {
    # The connection ends
    "drop-at-once": Fault(hostile.Peer.reset, W, 0),
    "drop-before-banner": Fault(drop, W, 0),
    "drop-in-banner": Fault(faulty.raw_then_close(b"220 half a ban"), W, 0),
    "drop-after-banner": Fault(faulty.raw_then_close(b"220 faulty.example\r\n"), W, 0),
    "drop-at-ehlo": Fault(faulty.at_ehlo(drop), W, 0),
    "drop-in-ehlo": Fault(faulty.at_ehlo(faulty.raw_then_close(b"250-faulty.example\r\n250-START")), W, 0),
    "drop-at-starttls": Fault(faulty.at_starttls(drop), W, 0),
    "drop-in-handshake": Fault(faulty.in_handshake(drop), W, 0),
    "reset-in-handshake": Fault(faulty.in_handshake(hostile.Peer.reset), W, 0),
    "drop-after-handshake": Fault(faulty.after_handshake(drop), W, 0),
    "drop-at-secured-ehlo": Fault(inside(EHLO=drop), W, 0),
    "drop-at-mail": Fault(inside(MAIL=drop), W, 0),
    "drop-at-rcpt": Fault(inside(RCPT=drop), W, 0),
    "drop-at-data": Fault(inside(DATA=drop), W, 0),
    "drop-in-content": Fault(inside(DATA=faulty.cut_in_content(drop)), W, 0),
    "reset-in-content": Fault(inside(DATA=faulty.cut_in_content(hostile.Peer.reset)), W, 0),
    "end-of-tls-in-content": Fault(inside(DATA=faulty.cut_in_content(faulty.end_tls)), W, 0),
    "half-close-in-content": Fault(inside(DATA=faulty.cut_in_content(faulty.half_close)), W, 0),
    "alert-in-clear-in-content": Fault(inside(DATA=faulty.cut_in_content(faulty.broken_record)), W, 0),
    "garbage-below-tls-in-content": Fault(inside(DATA=faulty.cut_in_content(faulty.garbage_record)), W, 0),
    "drop-after-dot": Fault(inside(END=drop), W, 1),
    "reset-after-dot": Fault(inside(END=hostile.Peer.reset), W, 1),
    "end-of-tls-after-dot": Fault(inside(END=faulty.end_tls), W, 1),
    "half-a-reply-after-dot": Fault(inside(END=faulty.raw_then_close(b"250 2.0.0 O")), W, 1),
    "half-a-list-after-dot": Fault(inside(END=faulty.raw_then_close(b"250-2.0.0 Ok\r\n")), W, 1),
    "ok-then-drop": Fault(inside(END=faulty.raw_then_close(b"250 2.0.0 Ok\r\n")), D, 1),
    "ok-then-no-farewell": Fault(inside(QUIT=drop), D, 1),
    "ok-then-silence": Fault(inside(QUIT=hang), D, 1),
    # Time passes
    "tarpit-banner": Fault(hang, W, 0),
    "tarpit-ehlo": Fault(faulty.at_ehlo(hang), W, 0),
    "tarpit-starttls": Fault(faulty.at_starttls(hang), W, 0),
    "tarpit-handshake": Fault(faulty.in_handshake(hang), W, 0),
    "tarpit-secured-ehlo": Fault(inside(EHLO=hang), W, 0),
    "tarpit-mail": Fault(inside(MAIL=hang), W, 0),
    "tarpit-rcpt": Fault(inside(RCPT=hang), W, 0),
    "tarpit-data": Fault(inside(DATA=hang), W, 0),
    "tarpit-after-dot": Fault(inside(END=hang), W, 1),
    "trickle-banner": Fault(hostile.trickle, W, 0),
    "trickle-after-dot": Fault(inside(END=faulty.trickle_inside), W, 1),
    "content-is-not-read": Fault(inside(DATA=faulty.stop_reading), W, 0, ("x",), large_text),
    "slow-but-right": Fault(inside(MAIL=faulty.slowly("250 2.1.0 Ok"), END=faulty.slowly("250 2.0.0 Ok")), D, 1),
    # More than anybody needs
    "endless-banner": Fault(flood(b"220-more\r\n"), W, 0),
    "endless-banner-line": Fault(flood(b"220-more"), W, 0),
    "endless-ehlo": Fault(faulty.at_ehlo(flood(b"250-X\r\n")), W, 0),
    "endless-secured-ehlo": Fault(inside(EHLO=flood(b"250-X\r\n")), W, 0),
    "endless-mail": Fault(inside(MAIL=flood(b"250-2.1.0 Ok\r\n")), W, 0),
    "endless-rcpt": Fault(inside(RCPT=flood(b"550-5.1.1 No\r\n")), W, 0),
    "endless-data": Fault(inside(DATA=flood(b"354-Go\r\n")), W, 0),
    "endless-after-dot": Fault(inside(END=flood(b"250-2.0.0 Ok\r\n")), W, 1),
    "endless-line-after-dot": Fault(inside(END=flood(b"x")), W, 1),
    "replies-without-end": Fault(inside(MAIL=flood(b"250 2.1.0 Ok\r\n")), W, 0),
    "line-of-70000": Fault(inside(RCPT=say(b"550 5.1.1 " + b"x" * 70_000 + b"\r\n")), W, 0),
    "list-of-70000": Fault(inside(RCPT=say((b"550-5.1.1 " + b"x" * 500 + b"\r\n") * 140 + b"550 5.1.1 x\r\n")), W, 0),
    "1001-lines": Fault(inside(EHLO=say(b"250-X\r\n" * 1_001 + b"250 X\r\n")), W, 0),
    "line-of-4000": Fault(inside(RCPT=say(b"550 5.1.1 " + b"\x1b]0;x\x07" * 500 + b"\r\n")), B, 0),
    # What is no reply
    "banner-garbage": Fault(say(bytes(range(256)) + b"\r\n"), W, 0),
    "banner-empty-line": Fault(say(b"\r\n220 faulty.example\r\n"), W, 0),
    "banner-http": Fault(say(b"HTTP/1.1 400 Bad Request\r\n\r\n"), W, 0),
    "banner-tls": Fault(say(b"\x15\x03\x01\x00\x02\x02\x0a\r\n"), W, 0),
    "banner-250": Fault(say(b"250 faulty.example\r\n"), W, 0),
    "mail-garbage": Fault(inside(MAIL=say(b"\x80\x81\xfe\xff\r\n")), W, 0),
    "mail-empty-line": Fault(inside(MAIL=say(b"\r\n")), W, 0),
    "mail-space-first": Fault(inside(MAIL=say(b" 250 2.1.0 Ok\r\n")), W, 0),
    "mail-tab-after-code": Fault(inside(MAIL=say(b"250\tOk\r\n")), W, 0),
    "mail-text-only": Fault(inside(MAIL=say(b"Ok\r\n")), W, 0),
    "code-of-2-digits": Fault(inside(END=say(b"25 Ok\r\n")), W, 1),
    "code-of-4-digits": Fault(inside(END=say(b"2500 Ok\r\n")), W, 1),
    "code-in-other-digits": Fault(inside(END=say("２５０ Ok\r\n".encode())), W, 1),
    "code-000": Fault(inside(END=say(b"000 Ok\r\n")), W, 1),
    "code-150": Fault(inside(END=say(b"150 Wait\r\n")), W, 1),
    "code-650": Fault(inside(RCPT=say(b"650 5.1.1 No\r\n")), W, 0),
    "code-999": Fault(inside(RCPT=say(b"999 No\r\n")), W, 0),
    "bare-cr": Fault(inside(MAIL=faulty.raw_then_hang(b"250 2.1.0 Ok\r")), W, 0),
    "nothing-but-nul": Fault(inside(MAIL=say(b"\0" * 100 + b"\r\n")), W, 0),
    # Replies that say two things
    "mixed-ehlo": Fault(inside(EHLO=say(b"250-faulty.example\r\n550 SIZE\r\n")), W, 0),
    "mixed-rcpt": Fault(inside(RCPT=say(b"550-5.1.1 No\r\n250 2.1.5 Yes\r\n")), W, 0),
    "mixed-after-dot": Fault(inside(END=say(b"250-2.0.0 Ok\r\n554 5.0.0 No\r\n")), W, 1),
    "enhanced-code-refuses": Fault(inside(END=say(b"250 5.7.1 Refused\r\n")), W, 1),
    "enhanced-code-accepts": Fault(inside(RCPT=say(b"550 2.1.5 Fine\r\n")), W, 0),
    "enhanced-code-delays": Fault(inside(RCPT=say(b"550 4.2.1 Later\r\n")), W, 0),
    # Replies that are not the one that was asked for
    "mail-221": Fault(inside(MAIL="221 2.0.0 Bye"), W, 0),
    "mail-354": Fault(inside(MAIL="354 Go ahead"), W, 0),
    "rcpt-252": Fault(inside(RCPT="252 2.0.0 Perhaps"), W, 0),
    "rcpt-354": Fault(inside(RCPT="354 Go ahead"), W, 0),
    "data-250": Fault(inside(DATA=say(b"250 2.0.0 Ok\r\n")), W, 0),
    "end-221": Fault(inside(END="221 2.0.0 Bye"), W, 1),
    "end-251": Fault(inside(END="251 2.0.0 Elsewhere"), W, 1),
    "end-354": Fault(inside(END="354 Go on"), W, 1),
    "rcpt-251": Fault(inside(RCPT="251 2.1.5 Will forward"), D, 1),
    # Replies that come unasked
    "ehlo-answered-early": Fault(faulty.at_greeting(say(b"220 faulty.example\r\n250 STARTTLS\r\n")), W, 0),
    "injected-before-tls": Fault(hostile.inject, D, 1),
    "mail-answered-early": Fault(inside(EHLO=say(b"250 faulty.example\r\n250 2.1.0 Ok\r\n")), W, 0),
    "unasked-inside-tls": Fault(faulty.after_handshake("250 2.0.0 Hello"), W, 0),
    "content-answered-early": Fault(inside(DATA=faulty.raw_then_hang(b"354 Go ahead\r\n250 2.0.0 Ok\r\n")), W, 0),
    "content-refused-early": Fault(inside(DATA=faulty.raw_then_hang(b"354 Go ahead\r\n552 5.3.4 Too large\r\n")), B, 0),
    "one-reply-too-many": Fault(inside(RCPT="250 2.1.5 Ok\r\n250 2.1.5 Ok"), W, 0),
    "one-reply-missing": Fault(inside(RCPT=faulty.leave_rcpt_out), W, 0),
    "lmtp-replies": Fault(inside(END=say(b"250 2.0.0 x\r\n250 2.0.0 y\r\n")), D, 1, ("x", "y")),
    "lmtp-replies-that-differ": Fault(inside(END=say(b"250 2.0.0 x\r\n550 5.0.0 y\r\n")), D, 1, ("x", "y")),
    "closing-after-ok": Fault(inside(END=say(b"250 2.0.0 Ok\r\n421 4.4.2 Too slow\r\n")), D, 1),
    # 421 anywhere
    "421-banner": Fault(say(b"421 4.3.2 Not now\r\n"), W, 0),
    "421-ehlo": Fault(faulty.at_ehlo("421 4.3.2 Not now"), W, 0),
    "421-starttls": Fault(faulty.at_starttls("421 4.3.2 Not now"), W, 0),
    "421-secured-ehlo": Fault(inside(EHLO="421 4.3.2 Not now"), W, 0),
    "421-mail": Fault(inside(MAIL="421 4.3.2 Not now"), W, 0),
    "421-rcpt": Fault(inside(RCPT="421 4.3.2 Not now"), W, 0),
    "421-data": Fault(inside(DATA="421 4.3.2 Not now"), W, 0),
    "421-in-content": Fault(inside(DATA=faulty.raw_then_close(b"354 Go ahead\r\n421 4.3.2 Not now\r\n")), W, 0),
    "421-after-dot": Fault(inside(END="421 4.3.2 Not now"), W, 1),
    # Refusals
    "4yz-banner": Fault(say(b"450 4.3.2 Not now\r\n"), W, 0),
    "5yz-banner": Fault(say(b"554 5.7.1 Not you\r\n"), W, 0),
    "5yz-ehlo": Fault(faulty.at_ehlo("550 5.7.1 Not you"), W, 0),
    "ehlo-unknown": Fault(faulty.at_ehlo("502 5.5.1 Say HELO"), W, 0),
    "ehlo-wants-lhlo": Fault(faulty.at_ehlo("500 5.5.1 Say LHLO"), W, 0),
    "starttls-missing": Fault(hostile.no_starttls, W, 0),
    "4yz-starttls": Fault(faulty.at_starttls("454 4.7.0 No entropy"), W, 0),
    "5yz-starttls": Fault(faulty.at_starttls("502 5.5.1 Unknown command"), W, 0),
    "5yz-secured-ehlo": Fault(inside(EHLO="550 5.7.1 Not you"), W, 0),
    "4yz-mail": Fault(inside(MAIL="451 4.7.1 Later"), W, 0),
    "5yz-mail": Fault(inside(MAIL="550 5.7.1 Not from you"), B, 0),
    "4yz-rcpt": Fault(inside(RCPT="450 4.2.0 Later"), W, 0),
    "5yz-rcpt": Fault(inside(RCPT="550 5.1.1 Unknown"), B, 0),
    "4yz-data": Fault(inside(DATA="451 4.3.0 Later"), W, 0),
    "5yz-data": Fault(inside(DATA="554 5.5.1 No valid recipients"), B, 0),
    "4yz-after-dot": Fault(inside(END="451 4.3.0 Later"), W, 1),
    "5yz-after-dot": Fault(inside(END="554 5.6.0 Unwanted"), B, 1),
    "552-mail": Fault(inside(MAIL="552 5.3.4 Too large"), B, 0),
    "size-is-too-small": Fault(inside(EHLO=faulty.offering("SIZE 100")), B, 0),
    # BDAT
    "bdat": Fault(inside(EHLO=faulty.offering("PIPELINING", "8BITMIME", "CHUNKING")), D, 1),
    "bdat-without-pipelining": Fault(inside(EHLO=faulty.offering("CHUNKING")), D, 1),
    "bdat-unknown": Fault(inside(EHLO=faulty.offering("CHUNKING"), BDAT="502 5.5.1 Unknown command"), D, 1),
    "bdat-out-of-sequence": Fault(inside(EHLO=faulty.offering("CHUNKING"), BDAT="503 5.5.1 Not now"), B, 0),
    "4yz-bdat": Fault(inside(EHLO=faulty.offering("CHUNKING"), END="451 4.3.0 Later"), W, 1),
    "5yz-bdat": Fault(inside(EHLO=faulty.offering("CHUNKING"), END="554 5.6.0 Unwanted"), B, 1),
    "354-bdat": Fault(inside(EHLO=faulty.offering("CHUNKING"), END="354 More"), W, 1),
    "421-bdat": Fault(inside(EHLO=faulty.offering("CHUNKING"), BDAT="421 4.3.2 Not now"), W, 0),
    "drop-at-bdat": Fault(inside(EHLO=faulty.offering("CHUNKING"), BDAT=drop), W, 0),
    "drop-after-chunk": Fault(inside(EHLO=faulty.offering("CHUNKING"), END=drop), W, 1),
    # Half of it works
    "limits-of-one": Fault(inside(EHLO=faulty.offering("LIMITS RCPTMAX=1 MAILMAX=1")), D, 2, ("x", "y")),
    "one-of-two-refused": Fault(inside(RCPT=faulty.only_for("y", "550 5.1.1 Unknown")), {"x": D, "y": B}, 1, ("x", "y")),
    "one-of-two-delayed": Fault(inside(RCPT=faulty.only_for("y", "450 4.2.0 Later")), {"x": D, "y": W}, 1, ("x", "y")),
    "one-of-two-without-pipelining": Fault(inside(EHLO=faulty.offering("8BITMIME"), RCPT=faulty.only_for("y", "550 5.1.1 Unknown")),
                                           {"x": D, "y": B}, 1, ("x", "y")),
    "all-refused-data-opened": Fault(inside(RCPT="550 5.1.1 Unknown"), B, 0, ("x", "y")),
    "one-at-a-time": Fault(inside(RCPT=faulty.after_the_first("452 4.5.3 Too many recipients")), D, 3, ("x", "y", "z")),
    "one-at-a-time-as-of-old": Fault(inside(RCPT=faulty.after_the_first("552 Too many recipients")), D, 2, ("x", "y")),
    # Odd, and right
    "text-with-nul": Fault(inside(MAIL=say(b"250 2.1.0 \0Ok\0\r\n"), END=say(b"250 2.0.0 \0\r\n")), D, 1),
    "text-of-8-bit": Fault(inside(MAIL=say(b"250 2.1.0 \xff\xfe\r\n"), END=say("250 2.0.0 Größe\r\n".encode())), D, 1),
    "text-of-8-bit-refuses": Fault(inside(RCPT=say("550 5.1.1 Größe \x1b[31m\u202e\r\n".encode())), B, 0),
    "bare-lf": Fault(inside(EHLO=say(b"250-faulty.example\n250 PIPELINING\n"), END=say(b"250 2.0.0 Ok\n")), D, 1),
    "no-text": Fault(inside(MAIL=say(b"250\r\n"), RCPT=say(b"250\r\n"), DATA="354", END=say(b"250\r\n")), D, 1),
    "enhanced-code-of-no-form": Fault(inside(RCPT=say(b"550 5.1.1234 Unknown\r\n")), B, 0),
    "keywords-of-no-form": Fault(inside(EHLO=say(
        b"250-faulty.example\r\n250-SIZE 99999999999999999999999\r\n250-SIZE x\r\n250-=\r\n250- \r\n250-PIPELINING\r\n250 8BITMIME\r\n")), D, 1),
    "no-extensions": Fault(inside(EHLO="250 faulty.example"), D, 1),
}


class Faulty(hostile_world.HostileWorld):
    @classmethod
    def setUpClass(cls):
        cls.build_world("faulty")
        for name, fault in FAULTS.items():
            cls.receiver(name, fault.does).limit_buffers()
        cls.home = cls.receiver("sender", hostile.honest)
        cls.start_relay(REPLY_TIMEOUT_S)
        began = time.monotonic()
        cls.submit_each([([f"{local}@{name}.example" for local in fault.recipients],
                          fault.text and fault.text(f"x@{name}.example")) for name, fault in FAULTS.items()])
        cls.wanted = {f"{local}@{name}.example": fault.expected if isinstance(fault.expected, str) else fault.expected[local]
                      for name, fault in FAULTS.items() for local in fault.recipients}
        cls.outcomes = cls.watch(began + LIMIT_S)
        cls.arrived = {name: len(cls.receivers[name].whole) for name in FAULTS}
        cls.lines_shown = cls.show_all()
        cls.mend()

    @classmethod
    def last_events(cls):
        """The last outcome of each recipient in the log: (state, event)."""
        found = {}
        for event in cls.relay.events():
            name = event.get("event", "")
            if name in ("message_delivered", "message_deferred", "message_bounced") and event["to"] in cls.wanted:
                found[event["to"]] = (name.removeprefix("message_"), event)
        return found

    @classmethod
    def watch(cls, end):
        while len(outcomes := cls.last_events()) < len(cls.wanted) and time.monotonic() < end:
            time.sleep(0.3)
        return outcomes

    @classmethod
    def show_all(cls):
        """What an operator sees of all that waits."""
        ids = {entry["id"] for entry in cls.relay.queue()}
        return [line for text in (cls.relay.ask("queue", "list"), *(cls.relay.ask("queue", "show", item) for item in sorted(ids)[:20]))
                for line in text.split("\n")]

    @classmethod
    def mend(cls):
        """Every server works from now on, and all that waits is tried again."""
        for name in FAULTS:
            cls.receivers[name].misbehaviour = hostile.honest
        cls.relay.command("queue", "retry", "--all")
        cls.waiting = [recipient for recipient, (state, _) in cls.outcomes.items() if state == W]
        end = time.monotonic() + LIMIT_S
        while any(cls.last_events()[recipient][0] == W for recipient in cls.waiting) and time.monotonic() < end:
            time.sleep(0.3)
        cls.mended = cls.last_events()

    def test_every_recipient_has_the_outcome_that_it_must_have(self):
        for recipient, expected in self.wanted.items():
            with self.subTest(recipient=recipient):
                self.assertIn(recipient, self.outcomes, f"no outcome within {LIMIT_S} s")
                outcome, event = self.outcomes[recipient]
                self.assertEqual(outcome, expected, event["reason"])

    def test_no_message_arrives_more_often_than_it_must(self):
        for name, fault in FAULTS.items():
            with self.subTest(name=name):
                self.assertEqual(self.arrived[name], fault.arrives)

    def test_nothing_is_lost_once_the_server_works_and_nothing_comes_twice(self):
        for recipient in self.waiting:
            with self.subTest(recipient=recipient):
                self.assertEqual(self.mended[recipient][0], D, self.mended[recipient][1]["reason"])
        for name, arrived in self.arrived.items():
            with self.subTest(name=name):
                later = collections.Counter(recipient for message in self.receivers[name].whole[arrived:] for recipient in message)
                expected = [recipient for recipient in self.waiting if recipient.endswith(f"@{name}.example")]
                self.assertEqual(later, collections.Counter(expected))

    def test_no_reply_is_read_without_end(self):
        flooded = {name: receiver.flooded for name, receiver in self.receivers.items() if "endless" in name or "without-end" in name}
        self.assertEqual({name: octets for name, octets in flooded.items() if octets > MAX_FLOOD_OCTETS}, {})

    def test_nothing_of_a_message_is_ever_sent_in_clear_text(self):
        for name, receiver in self.receivers.items():
            with self.subTest(name=name):
                self.assertFalse(receiver.saw_mail_in_clear_text(), receiver.clear_text[:500])

    def test_helo_is_never_said_since_it_offers_no_tls(self):
        for name, receiver in self.receivers.items():
            with self.subTest(name=name):
                self.assertNotRegex(receiver.clear_text, rb"(?m)^(HELO|LHLO)")

    def test_each_failure_says_in_a_bounded_sentence_what_happened(self):
        for recipient, (outcome, event) in self.outcomes.items():
            with self.subTest(recipient=recipient):
                if outcome != D:
                    self.assertRegex(event["reason"], r"^[ -~§]{20,%d}\.$" % MAX_SHOWN_OCTETS)
                    self.assertRegex(event["status"], r"^[45]\.\d{1,3}\.\d{1,3}$")
                    self.assertNotEqual(event["class"], "")

    def test_what_servers_say_cannot_speak_to_a_terminal_or_make_a_line(self):
        for line in [*self.relay.log().split("\n"), *self.lines_shown]:
            self.assertNotRegex(line, "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]")
        for line in self.lines_shown:
            self.assertLess(len(line), 2 * MAX_SHOWN_OCTETS)

    def test_a_report_is_printable_whatever_the_server_said(self):
        def report_on(recipient):
            return next((content for content in list(self.home.kept) if recipient.encode() in content), None)

        for recipient in [recipient for recipient, expected in self.wanted.items() if expected == B]:
            with self.subTest(recipient=recipient):
                report = processes.wait_until(lambda: report_on(recipient), 30, f"report on {recipient}")
                self.assertRegex(report, rb"^[\t\n -~]*$")
                self.assertLess(max(map(len, report.split(b"\n"))), 999)


if __name__ == "__main__":
    private_namespace.enter()
    unittest.main(module="__main__", verbosity=2 if "-v" in sys.argv else 1)
