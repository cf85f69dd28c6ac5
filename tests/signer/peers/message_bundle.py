"""Messages on their way between the programs that sign and verify; message_bundle.h says how they are written."""

import re


def read(stream):
    """Names and messages of a bundle."""
    messages = []
    while header := stream.readline():
        name, size = header.split()
        messages.append((name.decode(), stream.read(int(size))))
        stream.readline()
    return messages


def write(stream, name, message):
    stream.write(b"%s %d\n%s\n" % (name.encode(), len(message), message))


def count_fields(message, name):
    """How many fields of a name a message has."""
    header = b"\r\n" + message.split(b"\r\n\r\n", 1)[0]
    return len(re.findall(rb"\r\n" + re.escape(name) + rb"[ \t]*:", header, re.IGNORECASE))
