"""The table of etc/clients.md: what became of a message of each client on each kind of listener."""

import pathlib
import re

FILE = pathlib.Path(__file__).resolve().parents[2] / "etc" / "clients.md"
KINDS = {"none": "loopback, no TLS", "starttls": "STARTTLS", "implicit": "TLS from the first octet"}

HEAD = """# Clients

What the relay makes of mail of programs as Debian has them, with their own defaults beside server, password and TLS. This table is written
from what the tests see, and compared with it by them; after a change, write it anew with

    WAXWING_WRITE_CLIENTS=1 tests/run submission

"Signed": both signatures, RSA and Ed25519, verify over what the receiving host stored. The last column says what the client left out or
wrote so that it would not have arrived as it is, and the relay mended before it signed.
"""

TAIL = """
By other ways, which `tests/run ways` sees: `sendmail` called by PHP's mail(), PHPMailer, mutt and git send-email, and as cron and Rails call
it; LMTP by Python's smtplib; HTTP by curl and Python's urllib.
"""


def repairs(content):
    """What in the content of a client the relay mends."""
    head = content.partition(b"\r\n\r\n")[0]
    found = [f"adds {name}" for name in ("Date", "Message-ID") if not re.search(rb"(?mi)^" + name.encode() + rb":", head)]
    if re.search(rb"(?<!\r)\n|\r(?!\n)", content):
        found.append("line ends")
    if not head.isascii():
        found.append("encodes the header")
    return ", ".join(found) or "nothing"


def render(results, mended):
    """The file from {client: {kind: cell}} and {client: repairs}."""
    rows = [f"| client | {' | '.join(KINDS.values())} | mended |", "|---" * (len(KINDS) + 2) + "|"]
    rows += [f"| {client} | {' | '.join(cells[kind] for kind in KINDS)} | {mended[client]} |" for client, cells in results.items()]
    return HEAD + "\n" + "\n".join(rows) + "\n" + TAIL
