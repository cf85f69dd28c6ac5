"""What a process asked of the kernel, in order: strace(1), attached while the process runs."""

import pathlib
import re

from processes import Process, wait_until

_CALLS = "pwrite64,write,writev,sendmsg,sendto,fsync,fdatasync,rename,renameat,renameat2"
_UNFINISHED = " <unfinished ...>"
_RESUMED = re.compile(r"<\.\.\. \w+ resumed>")


class Call:
    """One system call. `start` and `end` are places in the order of all calls' starts and ends."""

    def __init__(self, start, end, text):
        self.start = start
        self.end = end
        self.text = text
        self.name = text.split("(", 1)[0]

    def succeeded(self):
        return " = -1 " not in self.text


def parse(lines):
    """Calls from the lines that `strace -f -o` writes; those that did not end are left out."""
    calls, begun = [], {}
    for place, line in enumerate(lines):
        thread, _, text = line.rstrip("\n").partition(" ")
        text = text.strip()
        if text.endswith(_UNFINISHED):
            begun[thread] = (place, text[:-len(_UNFINISHED)])
        elif text.startswith("<... ") and thread in begun:
            start, first = begun.pop(thread)
            calls.append(Call(start, place, first + _RESUMED.sub("", text, count=1)))
        elif "(" in text:
            calls.append(Call(place, place, text))
    return sorted(calls, key=lambda call: call.start)


class SyscallTrace:
    """Traces a process and all its threads until stop()."""

    def __init__(self, folder, pid):
        self.file = pathlib.Path(folder) / "strace.out"
        command = ["strace", "-f", "-y", "-s", "131072", "-e", f"trace={_CALLS}", "-o", str(self.file), "-p", str(pid)]
        self.process = Process("strace", command, folder)
        wait_until(lambda: "attached" in self.process.log(), 20, "strace")

    def stop(self):
        """Detaches; gives the calls."""
        self.process.stop()
        with open(self.file, encoding="latin-1") as lines:
            return parse(lines)
