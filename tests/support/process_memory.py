"""What a process has in its memory, read from outside as root: for tests that look for what must not be there."""

import re

# Mappings of this size are reserved, not filled: the shadow of AddressSanitizer, which holds marks about octets and not octets.
LARGEST_BYTES = 1 << 33
PIECE_BYTES = 1 << 24


def readable_ranges(pid):
    """(begin, end, name) of every mapping that can be read."""
    with open(f"/proc/{pid}/maps") as maps:
        for line in maps:
            match = re.match(r"([0-9a-f]+)-([0-9a-f]+) r\S+ \S+ \S+ \S+ *(.*)", line)
            if match and match[3] not in ("[vvar]", "[vsyscall]"):
                yield int(match[1], 16), int(match[2], 16), match[3]


def find(pid, needles):
    """Where octets are found: {needle: [name of the mapping and address, …]}; all that is mapped is read once.

    @return  (findings, octets that were read, mappings that were left out)
    """
    pattern = re.compile(b"|".join(re.escape(needle) for needle in sorted(needles, key=len, reverse=True)))
    overlap = max(map(len, needles)) - 1
    found, octets_read, left_out = {}, 0, []
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for begin, end, name in readable_ranges(pid):
            if end - begin > LARGEST_BYTES:
                left_out.append((begin, end, name))
                continue
            tail, at = b"", begin
            while at < end:
                try:
                    memory.seek(at)
                    piece = memory.read(min(PIECE_BYTES, end - at))
                except OSError:  # it was given back since the list was read, or is none of the process
                    break
                if not piece:
                    break
                text = tail + piece
                for match in pattern.finditer(text):
                    place = f"{name or 'anonymous'} at {at - len(tail) + match.start():x}"
                    found.setdefault(match[0], {})[place] = text[max(match.start() - 40, 0):match.end() + 40]
                at += len(piece)
                octets_read += len(piece)
                tail = text[-overlap:]
    return found, octets_read, left_out
