"""The disk of tests/faults/disk.c: what a program asked of it, what a power cut would have left, and calls that fail."""

import errno
import os
import pathlib
import random
import struct
import subprocess

PROJECT = pathlib.Path(__file__).resolve().parents[2]
RECORD = struct.Struct("=IIQQQ")
WRITE, TRUNCATE, SYNC, NAME, RENAME, UNLINK, NOTE = range(1, 8)
FAIL_WRITE, FAIL_SYNC, FAIL_NAME, SHORT_WRITE = 1, 2, 4, 8
ALWAYS = 0xFFFFFFFF
SECTOR = 512  # what a disk writes whole


def build(folder):
    """Compiles the library; gives its path."""
    library = pathlib.Path(folder) / "disk.so"
    subprocess.run(["cc", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o", str(library), str(PROJECT / "tests" / "faults" / "disk.c"),
                    "-ldl"], check=True)
    return library


class FaultyDisk:
    """One disk below a folder.

    @param log   whether what is done is written down
    @param deaf  end of the names of files whose syncs are swallowed
    """

    def __init__(self, workshop, folder, log=True, deaf=""):
        workshop = pathlib.Path(workshop)
        self.folder = pathlib.Path(folder)
        self.log = workshop / "disk.log"
        self.control = workshop / "disk.control"
        self.control.write_bytes(bytes(16))
        self.control.chmod(0o666)
        self.environment = {"LD_PRELOAD": str(build(workshop)), "TEST_DISK_FOLDER": str(self.folder), "TEST_DISK_CONTROL": str(self.control)}
        if log:
            self.environment["TEST_DISK_LOG"] = str(self.log)
        if deaf:
            self.environment["TEST_DISK_DEAF"] = deaf

    def note(self, text):
        """Writes down something that the test saw."""
        octets = text.encode()
        descriptor = os.open(self.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
        try:
            os.write(descriptor, RECORD.pack(NOTE, len(octets), 0, 0, 0) + octets)
        finally:
            os.close(descriptor)

    def fail(self, faults, error=errno.EIO, calls=ALWAYS):
        """Lets the next calls of these kinds fail."""
        self._set(0, 0, 0)
        self._set(faults, error, calls)

    def heal(self):
        self._set(0, 0, 0)

    def happened(self):
        """How many calls have failed so far."""
        return struct.unpack("=IIII", self.control.read_bytes())[3]

    def _set(self, faults, error, calls):
        # In place: the program has the file mapped. What fails is named last, when the rest is there.
        descriptor = os.open(self.control, os.O_WRONLY)
        try:
            os.pwrite(descriptor, struct.pack("=II", error, calls), 4)
            os.pwrite(descriptor, struct.pack("=I", faults), 0)
        finally:
            os.close(descriptor)


def records(log):
    """(kind, path, inode, offset, octets) of each record; a torn one at the end is left out."""
    with open(log, "rb") as file:
        while True:
            head = file.read(RECORD.size)
            if len(head) < RECORD.size:
                return
            kind, path_octets, inode, offset, size = RECORD.unpack(head)
            path = file.read(path_octets).decode()
            octets = file.read(size) if kind == WRITE else b""
            yield kind, path, inode, offset, octets


class File:
    """The content of one inode: what is safe, and what has been asked since."""

    def __init__(self, octets=b""):
        self.safe = bytearray(octets)
        self.pending = []  # (offset, octets), or (size, None) for a new size

    def sync(self):
        for change in self.pending:
            apply(self.safe, *change)
        self.pending.clear()

    def after_a_cut(self, chance):
        """What a power cut leaves: of each sector and size that was not synced, the new one or the old one."""
        octets = bytearray(self.safe)
        for offset, change in self.pending:
            if change is None:
                if chance.random() < 0.5:
                    apply(octets, offset, None)
                continue
            begin = 0
            while begin < len(change):
                end = min(len(change), begin + SECTOR - (offset + begin) % SECTOR)
                if chance.random() < 0.5:
                    apply(octets, offset + begin, change[begin:end])
                begin = end
        return octets


def apply(octets, offset, change):
    if change is None:
        del octets[offset:]
        octets.extend(bytes(offset - len(octets)))
        return
    octets.extend(bytes(max(0, offset - len(octets))))
    octets[offset:offset + len(change)] = change


class Cut:
    """The disk as it may be after a power cut, and what the test had noted before it."""

    def __init__(self, notes, files):
        self.notes = notes
        self.files = files  # {path below the folder: octets}

    def write_to(self, folder):
        for path, octets in self.files.items():
            target = pathlib.Path(folder) / path
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            target.write_bytes(octets)
            target.chmod(0o600)


def power_cuts(disk, before, count, seed):
    """Cuts at `count` places of a log, in order.

    Names are safe once their folder was synced; of those that were not, some of the first are there.

    @param before  {path below the folder: (inode, octets)} when the log began
    """
    chance = random.Random(seed)
    log = list(records(disk.log))
    places = set(chance.sample(range(len(log)), min(count, len(log))))
    inside = len(str(disk.folder)) + 1
    files = {inode: File(octets) for inode, octets in before.values()}
    names = {str(disk.folder / path): inode for path, (inode, _) in before.items()}  # as the program sees them
    safe_names, pending_names = dict(names), []
    notes = set()
    for place, (kind, path, inode, offset, octets) in enumerate(log):
        if place in places:
            kept = dict(safe_names)
            for _, change in pending_names[:chance.randint(0, len(pending_names))]:
                change(kept)
            yield Cut(set(notes), {name[inside:]: files[number].after_a_cut(chance) for name, number in kept.items()})
        if kind == NOTE:
            notes.add(path)
        elif kind == WRITE:
            files.setdefault(inode, File()).pending.append((offset, octets))
        elif kind == TRUNCATE:
            files.setdefault(inode, File()).pending.append((offset, None))
        elif kind == NAME and names.get(path) != inode:
            files[inode] = File()  # a number may be used again
            rename_to(names, pending_names, path, lambda all_names, path=path, inode=inode: all_names.update({path: inode}))
        elif kind == RENAME:
            old, new = path.split("\0")

            def move(all_names, old=old, new=new):
                if old in all_names:
                    all_names[new] = all_names.pop(old)

            rename_to(names, pending_names, new, move)
        elif kind == UNLINK:
            rename_to(names, pending_names, path, lambda all_names, path=path: all_names.pop(path, None))
        elif kind == SYNC and inode in files:
            files[inode].sync()
        elif kind == SYNC:  # a folder
            for change in [change for folder, change in pending_names if folder == path]:
                change(safe_names)
            pending_names[:] = [(folder, change) for folder, change in pending_names if folder != path]


def rename_to(names, pending_names, path, change):
    change(names)
    pending_names.append((os.path.dirname(path), change))


def content_of(folder):
    """What power_cuts() takes as `before`."""
    found = {}
    for path in pathlib.Path(folder).rglob("*"):
        if path.is_file() and not path.name.endswith("-shm"):
            found[str(path.relative_to(folder))] = (path.stat().st_ino, path.read_bytes())
    return found
