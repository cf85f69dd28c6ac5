"""The tables of etc/clients.md: what became of a message of each client on each kind of listener."""

import os
import pathlib
import re

FILE = pathlib.Path(__file__).resolve().parents[2] / "etc" / "clients.md"
SMTP = {"loopback": "loopback, no TLS", "starttls": "STARTTLS", "implicit": "TLS from the first octet",
        "proxied": "behind HAProxy", "socket": "unix socket", "lmtp": "LMTP"}


def slug(name):
    """A client's name as a local part, and as a part of a test's name."""
    return re.sub("[^a-z0-9]+", "-", name.lower()).strip("-")


def repairs(content):
    """What in the content of a client the relay mends."""
    head, _, body = content.partition(b"\r\n\r\n")
    found = [f"adds {name}" for name in ("From", "Date", "Message-ID")
             if not re.search(rb"(?mi)^" + name.encode() + rb":", head)]
    if re.search(rb"(?<!\r)\n|\r(?!\n)", content):
        found.append("line ends")
    if not head.isascii():
        found.append("encodes the header")
    if not body.isascii() and not re.search(rb"(?mi)^(MIME-Version|Content-[A-Za-z-]+):", head):
        found.append("labels the body")
    return ", ".join(found) or "nothing"


class Table:
    """One table of the file: a row for each client, and a column for each of `columns`, {key: heading}.

    It is found by its heading. Rows of clients that this machine does not have stay as they are in the file.
    """

    def __init__(self, columns, names):
        self.columns = {"client": "client", **columns}
        self.names = names
        self.rows = {}

    def note(self, name, **cells):
        """Says what became of a client."""
        self.rows.setdefault(name, {}).update(cells)

    def head(self):
        return f"| {' | '.join(self.columns.values())} |\n{'|---' * len(self.columns)}|\n"

    def row(self, name):
        cells = {"client": name, **self.rows[name]}
        return f"| {' | '.join(cells.get(column, '–') for column in self.columns)} |\n"

    def written_in(self, text):
        """The file's text with this table in it, as it was seen."""
        before, head, after = text.partition(self.head())
        if not head:
            raise AssertionError(f"etc/clients.md has no table that begins with:\n{self.head()}")
        old = re.match(r"(?:\|.*\n)*", after).group(0)
        kept = dict(re.findall(r"(?m)^(\| (.*?) \|.*\n)", old))
        kept = {name: line for line, name in kept.items()}
        rows = [self.row(name) if name in self.rows else kept.get(name, "") for name in self.names]
        return before + head + "".join(rows) + after[len(old):]


def compare_or_write(test, *tables):
    """Fails the test when the file says something else than the tables; with WAXWING_WRITE_CLIENTS, writes it first."""
    text = FILE.read_text()
    for table in tables:
        text = table.written_in(text)
    if os.environ.get("WAXWING_WRITE_CLIENTS"):
        FILE.write_text(text)
    test.assertEqual(FILE.read_text(), text, "write etc/clients.md anew, as it says")
