"""What an attacker sends to a submission server, as data.

DIALOGUES   (name, stage, exchanges): what is said after a stage of the session, and the code of each reply. A code is a
            regular expression; CLOSED stands for the end of the stream, a reply before it or not.
HEADERS     (name, header, verdict): a message by somebody who may write as sender.example and nobody else. Verdict: the
            code and status of a refusal, or "250" with what must not arrive.
ENDINGS     octets that some server takes for the end of data.
"""

import base64

CLOSED = "closed"
# Recipients at recv.example exist; the account may send as sender.example.
A = b"MAIL FROM:<ann@sender.example>"
B = b"RCPT TO:<eve@recv.example>"
OK = b"From: ann@sender.example"


def b64(octets):
    return base64.b64encode(octets)


def lines(*commands):
    return b"".join(command + b"\r\n" for command in commands)


# Everything that has at some time been read as the end of a message by some server, but CRLF.CRLF.
ENDINGS = {
    "lf-dot-lf": b"\n.\n", "lf-dot-crlf": b"\n.\r\n", "crlf-dot-lf": b"\r\n.\n", "cr-dot-cr": b"\r.\r",
    "cr-dot-crlf": b"\r.\r\n", "crlf-dot-cr": b"\r\n.\r", "lf-dot-cr": b"\n.\r", "cr-dot-lf": b"\r.\n",
    "crcrlf-dot-crlf": b"\r\r\n.\r\n", "crcrlf-dot-crcrlf": b"\r\r\n.\r\r\n", "crlf-dot-crcrlf": b"\r\n.\r\r\n",
    "lfcr-dot-lfcr": b"\n\r.\n\r", "lflf-dot-lf": b"\n\n.\n", "crlf-nul-dot-crlf": b"\r\n\0.\r\n",
    "crlf-dot-nul-crlf": b"\r\n.\0\r\n", "nul-lf-dot-lf": b"\0\n.\n\0", "crlf-dot-space-crlf": b"\r\n. \r\n",
    "crlf-space-dot-crlf": b"\r\n .\r\n", "crlf-tab-dot-crlf": b"\r\n\t.\r\n", "crlf-dot-tab-crlf": b"\r\n.\t\r\n",
    "crlf-dot-dot-crlf": b"\r\n..\r\n", "crlf-dot-dot-lf": b"\r\n..\n", "ff-dot-ff": b"\x0c.\x0c", "vt-dot-vt": b"\x0b.\x0b",
    "nel-dot-nel": b"\xc2\x85.\xc2\x85", "nel-octet": b"\x85.\x85", "ls-dot-ls": b"\xe2\x80\xa8.\xe2\x80\xa8",
    "8bit-crlf": b"\x8d\x8a.\x8d\x8a", "backslash": b"\\r\\n.\\r\\n", "crlf-8bit-dot": b"\r\n\xae\r\n",
}
# This one does end the content, for whoever reads octets; the lone CR before it is what is wrong.
REAL_END = "crcrlf-dot-crlf"
# Those that hold no lone CR or LF and no NUL are text like any other.
PLAIN_TEXT = {"crlf-dot-space-crlf", "crlf-space-dot-crlf", "crlf-tab-dot-crlf", "crlf-dot-tab-crlf", "crlf-dot-dot-crlf",
              "ff-dot-ff", "vt-dot-vt", "nel-dot-nel", "nel-octet", "ls-dot-ls", "8bit-crlf", "backslash", "crlf-8bit-dot"}
WITH_NUL = {"crlf-nul-dot-crlf", "crlf-dot-nul-crlf", "nul-lf-dot-lf"}


def _one(name, stage, command, *codes):
    return (name, stage, [(command + b"\r\n", codes)])


SCRAM_FIRST = b"AUTH SCRAM-SHA-256 " + b64(b"n,,n=app,r=x") + b"\r\n"
_LOGIN = [
    _one("auth.before-ehlo", "banner", b"AUTH PLAIN " + b64(b"\0app\0x"), "503"),
    _one("auth.after-helo", "helo", b"AUTH PLAIN " + b64(b"\0app\0x"), "503"),
    _one("auth.no-mechanism", "ehlo", b"AUTH", "501"),
    _one("auth.unknown-mechanism", "ehlo", b"AUTH CRAM-MD5", "504"),
    _one("auth.external", "ehlo", b"AUTH EXTERNAL " + b64(b"app"), "504"),
    _one("auth.anonymous", "ehlo", b"AUTH ANONYMOUS " + b64(b"x"), "504"),
    _one("auth.three-words", "ehlo", b"AUTH PLAIN a b", "501"),
    _one("auth.empty-response", "ehlo", b"AUTH PLAIN =", "501"),
    _one("auth.bad-base64", "ehlo", b"AUTH PLAIN !!!!", "501"),
    _one("auth.bad-padding", "ehlo", b"AUTH PLAIN AGE=AGE=", "501"),
    _one("auth.one-part", "ehlo", b"AUTH PLAIN " + b64(b"app"), "501"),
    _one("auth.two-parts", "ehlo", b"AUTH PLAIN " + b64(b"app\0x"), "501"),
    _one("auth.four-parts", "ehlo", b"AUTH PLAIN " + b64(b"\0app\0x\0y"), "501"),
    _one("auth.no-user", "ehlo", b"AUTH PLAIN " + b64(b"\0\0x"), "501"),
    _one("auth.no-password", "ehlo", b"AUTH PLAIN " + b64(b"\0app\0"), "501"),
    _one("auth.wrong-password", "ehlo", b"AUTH PLAIN " + b64(b"\0app\0x"), "535"),
    _one("auth.unknown-user", "ehlo", b"AUTH PLAIN " + b64(b"\0nobody\0x"), "535"),
    _one("auth.long-user", "ehlo", b"AUTH PLAIN " + b64(b"\0" + b"u" * 256 + b"\0x"), "501"),
    _one("auth.long-password", "ehlo", b"AUTH PLAIN " + b64(b"\0app\0" + b"p" * 256), "501"),
    ("auth.cancel-plain", "ehlo", [(b"AUTH PLAIN\r\n", ("334",)), (b"*\r\n", ("501",)), (b"NOOP\r\n", ("250",))]),
    ("auth.cancel-login", "ehlo", [(b"AUTH LOGIN\r\n", ("334",)), (b64(b"app") + b"\r\n", ("334",)), (b"*\r\n", ("501",)),
                                   (A + b"\r\n", ("530",))]),
    ("auth.login-nul", "ehlo", [(b"AUTH LOGIN " + b64(b"app\0x") + b"\r\n", ("334",)), (b64(b"y") + b"\r\n", ("501",))]),
    ("auth.login-empty", "ehlo", [(b"AUTH LOGIN =\r\n", ("334",)), (b"=\r\n", ("501",))]),
    ("auth.response-is-command", "ehlo", [(b"AUTH LOGIN\r\n", ("334",)), (A + b"\r\n", ("501",)), (A + b"\r\n", ("530",))]),
    _one("scram.empty", "ehlo", b"AUTH SCRAM-SHA-256 =", "501"),
    _one("scram.not-base64", "ehlo", b"AUTH SCRAM-SHA-256 n,,n=app,r=x", "501"),
    _one("scram.no-header", "ehlo", b"AUTH SCRAM-SHA-256 " + b64(b"n=app,r=x"), "501"),
    _one("scram.no-nonce", "ehlo", b"AUTH SCRAM-SHA-256 " + b64(b"n,,n=app"), "501"),
    _one("scram.other-order", "ehlo", b"AUTH SCRAM-SHA-256 " + b64(b"n,,r=x,n=app"), "501"),
    _one("scram.extension", "ehlo", b"AUTH SCRAM-SHA-256 " + b64(b"n,,m=x,n=app,r=x"), "501"),
    _one("scram.nul", "ehlo", b"AUTH SCRAM-SHA-256 " + b64(b"n,,n=app\0,r=x"), "501"),
    _one("scram.bad-escape", "ehlo", b"AUTH SCRAM-SHA-256 " + b64(b"n,,n=a=2cpp,r=x"), "501"),
    _one("scram.long-user", "ehlo", b"AUTH SCRAM-SHA-256 " + b64(b"n,,n=" + b"u" * 256 + b",r=x"), "501"),
    _one("scram.long-nonce", "ehlo", b"AUTH SCRAM-SHA-256 " + b64(b"n,,n=app,r=" + b"x" * 8_000), "501"),
    _one("scram.other-user", "ehlo", b"AUTH SCRAM-SHA-256 " + b64(b"n,a=root,n=app,r=x"), "535"),
    _one("scram.unbound-binding", "ehlo", b"AUTH SCRAM-SHA-256 " + b64(b"p=tls-unique,,n=app,r=x"), "535"),
    _one("scram.sha-1", "ehlo", b"AUTH SCRAM-SHA-1 " + b64(b"n,,n=app,r=x"), "504"),
    ("scram.cancel", "ehlo", [(SCRAM_FIRST, ("334",)), (b"*\r\n", ("501",)), (b"*\r\n", ("500",)), (A + b"\r\n", ("530",))]),
    ("scram.final-is-command", "ehlo", [(SCRAM_FIRST, ("334",)), (A + b"\r\n", ("501",)), (A + b"\r\n", ("530",))]),
    ("scram.empty-final", "ehlo", [(SCRAM_FIRST, ("334",)), (b"\r\n", ("501",))]),
    ("scram.no-proof", "ehlo", [(SCRAM_FIRST, ("334",)), (b64(b"c=biws,r=x") + b"\r\n", ("501",))]),
    ("scram.our-nonce-alone", "ehlo", [(SCRAM_FIRST, ("334",)), (b64(b"c=biws,r=x,p=" + b64(b"p" * 32)) + b"\r\n", ("535",))]),
    ("scram.final-ahead", "ehlo", [(SCRAM_FIRST + b64(b"c=biws,r=x,p=" + b64(b"p" * 32)) + b"\r\nNOOP\r\n", ("334", "535", "250"))]),
    ("scram.endless-final", "ehlo", [(SCRAM_FIRST, ("334",)), (b"A" * 80_000, ("500", CLOSED))]),
    ("scram.log-injection", "ehlo", [(b"AUTH SCRAM-SHA-256 " + b64(b'n,a=x,n=eve\n{"event":"FORGED"}\x1b[2J,r=x') + b"\r\n", ("535",))]),
    ("auth.huge-line", "ehlo", [(b"AUTH PLAIN " + b"A" * 12_288 + b"\r\n", ("500",)), (b"NOOP\r\n", ("250",))]),
    ("auth.endless-line", "ehlo", [(b"AUTH PLAIN " + b"A" * 80_000, ("500", CLOSED))]),
    ("auth.endless-response", "ehlo", [(b"AUTH PLAIN\r\n", ("334",)), (b"A" * 80_000, ("500", CLOSED))]),
    ("auth.log-injection", "ehlo", [(b"AUTH PLAIN " + b64(b'\0eve\n{"event":"FORGED"}\x1b[2J\0x') + b"\r\n", ("535",))]),
    _one("auth.twice", "login", b"AUTH PLAIN " + b64(b"\0app\0x"), "503"),
    _one("auth.in-transaction", "mail", b"AUTH PLAIN " + b64(b"\0app\0x"), "503"),
    ("auth.mail-before", "ehlo", [(lines(A, B, b"DATA"), ("530", "503", "503"))]),
]

_COMMANDS = [
    ("cmd.bare-lf", "login", [(b"NOOP\nNOOP\r\n", ("521", CLOSED))]),
    ("cmd.bare-lf-mail", "login", [(A + b"\n" + B + b"\r\n", ("521", CLOSED))]),
    _one("cmd.bare-cr", "login", b"NOOP\rNOOP", "500"),
    _one("cmd.nul", "login", b"NO\0OP", "500"),
    _one("cmd.nul-in-mail", "login", b"MAIL FROM:<ann@sender.example\0>", "5.."),
    _one("cmd.tab", "login", b"MAIL\tFROM:<ann@sender.example>", "500"),
    _one("cmd.escape", "login", b"\x1b[2JNOOP", "500"),
    _one("cmd.8bit", "login", b"N\xc3\x96\xc3\x96P", "500"),
    _one("cmd.unknown", "login", b"XYZZY", "500"),
    _one("cmd.empty", "login", b"", "500"),
    _one("cmd.leading-space", "login", b" NOOP", "500"),
    _one("cmd.data-argument", "rcpt", b"DATA now", "501"),
    _one("cmd.rset-argument", "login", b"RSET now", "501"),
    _one("cmd.quit-argument", "login", b"QUIT now", "501"),
    _one("cmd.ehlo-nothing", "login", b"EHLO", "501"),
    _one("cmd.ehlo-long", "login", b"EHLO " + b"x" * 256, "501"),
    _one("cmd.ehlo-control", "login", b"EHLO a\x07b", "500"),
    _one("cmd.expn", "login", b"EXPN staff", "25[02]|5.."),
    _one("cmd.vrfy", "login", b"VRFY root", "252"),
    _one("cmd.turn", "login", b"TURN", "5.."),
    _one("cmd.etrn", "login", b"ETRN sender.example", "5.."),
    _one("cmd.xclient", "login", b"XCLIENT ADDR=127.0.0.1 LOGIN=boss", "5.."),
    _one("cmd.xforward", "login", b"XFORWARD NAME=x", "5.."),
    _one("cmd.burl", "rcpt", b"BURL imap://x LAST", "5.."),
    _one("cmd.long-line", "login", b"NOOP " + b"x" * 4_000, "500"),
    ("cmd.endless-line", "login", [(b"x" * 80_000, ("500", CLOSED))]),
    ("cmd.http-get", "banner", [(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", ("521", CLOSED))]),
    ("cmd.http-post", "banner", [(lines(b"POST / HTTP/1.1", b"", b"EHLO x", A, B), ("521", CLOSED))]),
    ("cmd.tls-first", "banner", [(b"\x16\x03\x01\x00\x05hello\r\n", ("500",))]),
    ("cmd.many-errors", "login", [(b"NONSENSE\r\n" * 30, ("500",) * 20 + ("421", CLOSED))]),
    ("cmd.after-quit", "login", [(lines(b"QUIT", A), ("221", CLOSED))]),
    _one("param.unknown", "login", A + b" XYZZY=1", "555"),
    _one("param.unknown-rcpt", "mail", B + b" XYZZY=1", "555"),
    _one("param.twice", "login", A + b" SIZE=1 SIZE=2", "501"),
    _one("param.twice-other-case", "login", A + b" BODY=7BIT body=8BITMIME", "501"),
    _one("param.size-empty", "login", A + b" SIZE=", "501"),
    _one("param.size-none", "login", A + b" SIZE", "501"),
    _one("param.size-negative", "login", A + b" SIZE=-1", "501"),
    _one("param.size-hex", "login", A + b" SIZE=0x10", "501"),
    _one("param.size-plus", "login", A + b" SIZE=+10", "501"),
    _one("param.size-overflow", "login", A + b" SIZE=18446744073709551616", "501"),
    _one("param.size-digits", "login", A + b" SIZE=" + b"9" * 40, "501"),
    _one("param.size-over-limit", "login", A + b" SIZE=18446744073709551615", "552"),
    _one("param.body-unknown", "login", A + b" BODY=9BIT", "501"),
    _one("param.body-binary", "login", A + b" BODY=BINARYMIME", "501"),
    _one("param.no-space", "login", A + b"SIZE=1", "501"),
    _one("param.equals", "login", A + b" =", "5.."),
    _one("param.auth-empty", "login", A + b" AUTH=", "501"),
    _one("param.auth-half-hex", "login", A + b" AUTH=a+0", "501"),
    _one("param.auth-lower-hex", "login", A + b" AUTH=a+0d", "501"),
    _one("param.requiretls-value", "login", A + b" REQUIRETLS=1", "501"),
    _one("param.smtputf8-value", "login", A + b" SMTPUTF8=1", "501"),
    _one("param.envid", "login", A + b" ENVID=a+00", "5.."),
    _one("param.orcpt", "mail", B + b" ORCPT=rfc822;a+0D+0Ab", "5.."),
]

_STATES = [
    _one("state.mail-before-ehlo", "banner", A, "503"),
    _one("state.rcpt-before-mail", "login", B, "503"),
    _one("state.data-before-mail", "login", b"DATA", "503"),
    _one("state.data-before-rcpt", "mail", b"DATA", "5.."),
    _one("state.mail-twice", "mail", A, "503"),
    ("state.data-after-refused-rcpt", "mail", [(lines(b"RCPT TO:<>", b"DATA"), ("5..", "5.."))]),
    ("state.rset", "rcpt", [(lines(b"RSET", b"DATA", B), ("250", "503", "503"))]),
    ("state.ehlo", "rcpt", [(lines(b"EHLO again", b"DATA"), ("250", "503"))]),
    ("state.helo", "rcpt", [(lines(b"HELO again", b"DATA"), ("250", "503"))]),
    ("state.vrfy", "rcpt", [(lines(b"VRFY x", b"EXPN y", b"HELP", b"NOOP", A), ("252", "252", "214", "250", "503"))]),
    ("state.after-refused-data", "rcpt", [(b"DATA\r\n", ("354",)), (b"no header\r\n.\r\n", ("5..",)),
                                          (lines(B, b"DATA"), ("503", "503"))]),
    ("state.after-nul", "rcpt", [(b"DATA\r\n", ("354",)), (OK + b"\r\n\r\na\0b\r\n.\r\n", ("550",)), (lines(B, b"DATA"), ("503", "503"))]),
    ("state.refused-mail-then-rcpt", "login", [(lines(b"MAIL FROM:<eve@other.example>", B, b"DATA"), ("550", "503", "503"))]),
    ("state.too-long-in-transaction", "rcpt", [(b"NOOP " + b"x" * 4_000 + b"\r\n" + A + b"\r\n", ("500", "503"))]),
]


_GOOD = OK + b"\r\n\r\nbody\r\n"
_CHUNKS = [
    ("bdat.before-mail", "login", [(b"BDAT 6\r\nNOOP\r\n", ("503",)), (b"HELP\r\n", ("214",))]),
    ("bdat.before-rcpt", "mail", [(b"BDAT 6 LAST\r\nNOOP\r\n", ("554",)), (b"HELP\r\n", ("214",))]),
    ("bdat.before-auth", "ehlo", [(b"BDAT 6\r\nNOOP\r\n", ("530", CLOSED))]),
    *((f"bdat.size-{name}", "rcpt", [(b"BDAT" + size + b"\r\n" + A + b"\r\n", ("5..", CLOSED))])
      for name, size in {"none": b"", "word": b" x", "negative": b" -1", "plus": b" +6", "hex": b" 0x6", "octal-like": b" 6o",
                         "fraction": b" 6.0", "overflow-32": b" 4294967296", "overflow-63": b" 9223372036854775808",
                         "overflow-64": b" 18446744073709551616", "digits": b" " + b"9" * 400, "over-limit": b" 52428801",
                         "last-first": b" LAST 6", "not-last": b" 6 LASTLY", "two-last": b" 6 LAST LAST"}.items()),
    ("bdat.smuggled-dot", "rcpt", [(b"BDAT 8\r\nX: y\r\n.\r", ("250",)), (b"BDAT 1 LAST\r\n\n", ("550",)), (B + b"\r\n", ("503",))]),
    ("bdat.bare-line-feed", "rcpt", [(b"BDAT 5 LAST\r\na\nb\r\n", ("5..",))]),
    ("bdat.bare-cr-between", "rcpt", [(b"BDAT 4\r\nX: \r", ("250",)), (b"BDAT 1 LAST\r\nx", ("5..",))]),
    ("bdat.nul", "rcpt", [(b"BDAT 3 LAST\r\na\0b", ("550",))]),
    ("bdat.then-data", "rcpt", [(b"BDAT 1\r\nx", ("250",)), (lines(b"DATA", A, B), ("503", "503", "503"))]),
    ("bdat.then-rset", "rcpt", [(b"BDAT 1\r\nx", ("250",)), (b"RSET\r\nBDAT 6 LAST\r\nNOOP\r\n", ("250", "503"))]),
    ("bdat.then-ehlo", "rcpt", [(b"BDAT 1\r\nx", ("250",)), (b"EHLO x\r\nBDAT 6 LAST\r\nNOOP\r\n", ("250", "503"))]),
    ("bdat.after-failure", "rcpt", [(b"BDAT 3\r\na\0bBDAT 6\r\nNOOP\r\nBDAT 6 LAST\r\nNOOP\r\n", ("550", "503", "503"))]),
    ("bdat.after-message", "rcpt", [(b"BDAT %d LAST\r\n" % len(_GOOD) + _GOOD, ("250",)), (b"BDAT 6 LAST\r\nNOOP\r\n", ("503",))]),
    ("bdat.given-up-content", "rcpt", [(b"BDAT 12\r\nBcc: x@y.z\r\n", ("250",)), (lines(b"RSET", A, B), ("250", "250", "250")),
                                       (b"BDAT 5 LAST\r\nTo: x", ("550",))]),
    ("bdat.tiny", "rcpt", [(b"".join(b"BDAT 1\r\n%c" % octet for octet in _GOOD), ("250",) * len(_GOOD)), (b"BDAT 0 LAST\r\n", ("250",))]),
    ("bdat.empty", "rcpt", [(b"BDAT 0 LAST\r\n", ("550",))]),
    ("bdat.many-refused", "login", [(b"BDAT 1\r\nx" * 30, ("503",) * 20 + ("421", CLOSED))]),
]


def _addresses():
    """Paths that no server may take, as sender and as recipient."""
    refused = {
        "no-brackets": b"ann@sender.example", "no-end": b"<ann@sender.example", "no-begin": b"ann@sender.example>",
        "no-domain": b"<ann>", "empty-domain": b"<ann@>", "empty-local": b"<@sender.example>", "two-at": b"<a@b@sender.example>",
        "space": b"<an n@sender.example>", "space-before-at": b"<ann @sender.example>", "space-after": b"<ann@sender.example >",
        "dot-first": b"<.ann@sender.example>", "dot-last": b"<ann.@sender.example>", "two-dots": b"<a..n@sender.example>",
        "domain-dot-first": b"<ann@.sender.example>", "domain-two-dots": b"<ann@sender..example>",
        "domain-dot-last": b"<ann@sender.example.>", "domain-hyphen": b"<ann@-sender.example>", "domain-space": b"<ann@sender example>",
        "literal": b"<ann@[127.0.0.1]>", "literal-v6": b"<ann@[IPv6:::1]>", "literal-open": b"<ann@[127.0.0.1>",
        "bare-address": b"<ann@127.0.0.1>", "number": b"<ann@2130706433>", "long-local": b"<" + b"a" * 65 + b"@sender.example>",
        "long-label": b"<ann@" + b"a" * 64 + b".sender.example>", "long-domain": b"<ann@" + b"a." * 124 + b"sender.example>",
        "long-path": b"<" + b"a" * 64 + b"@" + b"b" * 63 + b"." + b"c" * 63 + b"." + b"d" * 60 + b".sender.example>",
        "control": b"<an\x01n@sender.example>", "delete": b"<an\x7fn@sender.example>", "tab": b"<an\tn@sender.example>",
        "escape": b"<an\x1bn@sender.example>", "cr": b"<an\rn@sender.example>", "nul": b"<an\0n@sender.example>",
        "quoted-control": b'<"an\x01n"@sender.example>', "quoted-escaped-control": b'<"an\\\x01n"@sender.example>',
        "quoted-cr": b'<"an\rn"@sender.example>', "quoted-open": b'<"ann@sender.example>', "quoted-tail": b'<"a"n@sender.example>',
        "quoted-long": b'<"' + b"a" * 63 + b'"@sender.example>', "8bit": b"<\xe4nn@sender.example>",
        "utf8-unannounced": b"<\xc3\xa4nn@sender.example>", "8bit-domain": b"<ann@s\xe4nder.example>",
        "parentheses": b"<ann(x)@sender.example>", "comma": b"<ann,eve@sender.example>", "semicolon": b"<ann;eve@sender.example>",
        "colon": b"<x:ann@sender.example>", "brackets": b"<<ann@sender.example>>", "angle": b"<ann<eve@sender.example>",
        "backslash": b"<an\\n@sender.example>", "route-no-hop": b"<@:ann@sender.example>", "route-no-end": b"<@a ann@sender.example>",
        "route-comma": b"<@a,:ann@sender.example>", "two-paths": b"<ann@sender.example><eve@sender.example>",
        "behind-path": b"<ann@sender.example>x", "crlf-encoded": b"<ann%0d%0a@sender.example\r>",
    }
    for name, path in refused.items():
        yield _one(f"mail.{name}", "login", b"MAIL FROM:" + path, "5..")
        yield _one(f"rcpt.{name}", "mail", b"RCPT TO:" + path.replace(b"sender", b"recv"), "5..")
    for name, path in {"route": b"<@a.example,@b.example:ann@sender.example>", "quoted": b'<"a n\\"n"@sender.example>',
                       "quoted-angle": b'<"a>n"@sender.example>', "longest-local": b"<" + b"a" * 64 + b"@sender.example>",
                       "upper-case": b"<Ann@SENDER.EXAMPLE>", "plus": b"<ann+x=y/z@sender.example>"}.items():
        yield _one(f"mail.{name}", "login", b"MAIL FROM:" + path, "250")
        yield _one(f"rcpt.{name}", "mail", b"RCPT TO:" + path.replace(b"sender", b"recv"), "250")
    for name, path in {"other-domain": b"<ann@other.example>", "other-tail": b"<ann@notsender.example>", "below": b"<ann@x.sender.example>",
                       "above": b"<ann@example>", "percent": b"<ann%sender.example@other.example>",
                       "route-hides": b"<@sender.example:ann@other.example>", "quoted-hides": b'<"ann@sender.example"@other.example>'}.items():
        yield _one(f"mail.{name}", "login", b"MAIL FROM:" + path, "550")
    for name, path in {"latin1": b"<\xe4nn@sender.example>", "c1": b"<\xc2\x85nn@sender.example>", "overlong": b"<\xc0\xaenn@sender.example>",
                       "surrogate": b"<\xed\xa0\x80nn@sender.example>", "control": b"<\xc3\xa4\x01@sender.example>",
                       "cut": b"<ann\xc3@sender.example>", "look-alike": b"<ann@\xd1\x95ender.example>"}.items():
        yield _one(f"utf8.{name}", "login", b"MAIL FROM:" + path + b" SMTPUTF8", "5..")


DIALOGUES = [*_LOGIN, *_COMMANDS, *_CHUNKS, *_STATES, *_addresses()]

FORM, NAME, LIMIT = "550 5.6.0", "550 5.7.1", "552 5.3.4"


def _headers():
    yield "no-header", b"", FORM
    yield "no-from", b"To: x@recv.example", FORM
    for name, value in {"empty": b"", "blank": b" ", "null": b"<>", "name-only": b"Ann", "at-only": b"@", "group": b"staff: ann@sender.example;",
                        "empty-group": b"undisclosed-recipients:;", "open-group": b"staff: ann@sender.example",
                        "route": b"<@other.example:ann@sender.example>", "comment-inside": b"ann@(x)sender.example",
                        "comment-before-at": b"ann(x)@sender.example", "spaces-inside": b"ann @ sender.example",
                        "folded-inside": b"ann@\r\n sender.example", "no-comma": b"<ann@sender.example> <eve@other.example>",
                        "name-is-address": b"eve@other.example <ann@sender.example>", "literal": b"<ann@[127.0.0.1]>",
                        "open-quote": b'"eve <ann@sender.example>', "open-comment": b"ann@sender.example (x",
                        "deep-comment": b"(" * 50 + b")" * 50 + b" ann@sender.example", "nul-word": b"=?utf-8?q?a=00b?= <ann@sender.example>",
                        "line-end-word": b"=?utf-8?q?a=0D=0ABcc=3A_x=40y?= <ann@sender.example>",
                        "utf7-word": b"=?utf-7?q?eve+AEA-other.example?= <ann@sender.example>",
                        "whole-word": b"=?utf-8?q?ann=40sender.example?=", "no-sender": b"ann@sender.example, bob@sender.example",
                        "many": b", ".join(b"a%d@sender.example" % number for number in range(200)),
                        "huge": b"ann@sender.example" + b"\r\n " * 20_000 + b" x"}.items():
        yield f"from-{name}", b"From: " + value, FORM
    for name, value in {"other": b"eve@other.example", "other-named": b"Ann <eve@other.example>", "below": b"eve@x.sender.example",
                        "tail": b"eve@notsender.example", "two-domains": b"ann@sender.example, eve@other.example",
                        "group-other": b"eve@other.example, ann@sender.example", "quoted-local": b'"ann@sender.example"@other.example',
                        "name-quoted": b'"eve@other.example" <ann@sender.example>', "name-angle": b'"<eve@other.example>" <ann@sender.example>',
                        "comment": b"ann@sender.example (eve@other.example)", "comment-first": b"(eve@other.example) ann@sender.example",
                        "word-q": b"=?utf-8?q?eve=40other.example?= <ann@sender.example>",
                        "word-b": b"=?utf-8?b?" + b64(b"eve@other.example") + b"?= <ann@sender.example>",
                        "word-split": b"=?utf-8?q?eve=40oth?=\r\n =?utf-8?q?er.example?= <ann@sender.example>",
                        "word-angle": b"=?utf-8?q?Eve_=3Ceve=40other.example=3E?= <ann@sender.example>"}.items():
        yield f"from-{name}", b"From: " + value, NAME
    for field in (b"Sender", b"Resent-From", b"Resent-Sender"):
        name = field.decode().lower()
        yield f"{name}-other", OK + b"\r\n" + field + b": eve@other.example", NAME
        yield f"{name}-other-case", OK + b"\r\n" + field.upper() + b": Eve <EVE@OTHER.EXAMPLE>", NAME
        yield f"{name}-hidden", OK + b"\r\n" + field + b": =?utf-8?q?eve=40other.example?= <ann@sender.example>", NAME
        yield f"{name}-empty", OK + b"\r\n" + field + b":", FORM
        yield f"{name}-group", OK + b"\r\n" + field + b": x: ann@sender.example;", FORM
    yield "sender-two", OK + b"\r\nSender: ann@sender.example, bob@sender.example", FORM
    for field in (b"From", b"Sender", b"Reply-To", b"To", b"Cc", b"Subject", b"Date", b"Message-ID", b"Content-Type", b"MIME-Version"):
        first = b"" if field == b"From" else OK + b"\r\n"
        value = b": ann@sender.example"
        yield f"two-{field.decode().lower()}", first + field + value + b"\r\n" + field.upper() + value, FORM
    yield "two-from-other", OK + b"\r\nFrom: eve@other.example", FORM
    yield "two-from-spaced", OK + b"\r\nFrom : eve@other.example", FORM
    yield "spaced-colon", b"From : ann@sender.example", FORM
    yield "tab-colon", b"From\t: ann@sender.example", FORM
    yield "no-colon", OK + b"\r\nthis is no field", FORM
    yield "empty-name", OK + b"\r\n: value", FORM
    yield "space-in-name", OK + b"\r\nX Y: value", FORM
    yield "8bit-in-name", OK + b"\r\nX\xc3\xa4: value", FORM
    yield "control-in-name", OK + b"\r\nX\x01: value", FORM
    yield "folded-first", b" From: eve@other.example\r\n" + OK, FORM
    yield "blank-fold", OK + b"\r\nSubject: x\r\n \r\n y", FORM
    yield "blank-fold-from", OK + b"\r\n \t\r\nFrom: eve@other.example", FORM
    for number in (1, 7, 8, 11, 12, 14, 27, 31, 127):
        yield f"control-{number:02x}", OK + b"\r\nSubject: a" + bytes([number]) + b"b", FORM
    yield "nul", OK + b"\r\nSubject: a\0b", FORM
    yield "bare-cr", OK + b"\r\nSubject: a\rFrom: eve@other.example", FORM
    yield "too-large", OK + b"\r\n" + b"\r\n".join(b"X-%d: %s" % (number, b"x" * 900) for number in range(1_200)), LIMIT
    yield "too-many", OK + b"\r\n" + b"\r\n".join(b"X: y" for _ in range(10_001)), LIMIT
    yield "circle", b"\r\n".join([b"Received: x"] * 60) + b"\r\n" + OK, "554 5.4.6"


HEADERS = list(_headers())

# Fields that must be gone when the message arrives, and one that must be there.
STRIPPED = (b"Bcc: secret@recv.example", b"Return-Path: <eve@other.example>", b"Resent-Bcc: secret@recv.example",
            b"Content-Length: 3")
