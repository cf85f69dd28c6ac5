"""Unpacks Debian packages under the build folder, so that their programs run without being installed.

Packages that start a service when they are installed (unbound, postfix) are only ever used this way: nothing of the
machine changes. A package and whatever it needs that is not installed are downloaded with `apt-get download` and
unpacked with `dpkg -x`, once; the tree is kept and used again without a network.
"""

import fcntl
import json
import os
import pathlib
import shutil
import subprocess
import unittest

PROJECT = pathlib.Path(__file__).resolve().parents[2]
PEERS = PROJECT / "build" / "peers"


# Environment of processes that have no network to try again: {what: why it is not to be had} as JSON.
_FAILED = "WAXWING_NOT_TO_BE_HAD"


class UnpackError(unittest.SkipTest):
    """A package could not be fetched or does not run; the text says what to do. A test that it passes through is skipped."""

    def __init__(self, package, reason):
        super().__init__(f"{package}: {reason}")
        self.package, self.reason = package, reason


def provide_ahead(providers):
    """Calls functions that fetch something, while there is a network; what one of them cannot get is remembered for
    assert_to_be_had()."""
    failed = {}
    for provide in providers:
        try:
            provide()
        except UnpackError as error:
            failed[error.package] = error.reason
    os.environ[_FAILED] = json.dumps(failed)


def assert_to_be_had(package):
    """Raises UnpackError if provide_ahead() could not get it."""
    reason = json.loads(os.environ.get(_FAILED, "{}")).get(package)
    if reason:
        raise UnpackError(package, reason)


class Tree:
    """The unpacked files of one package and of the libraries it needs."""

    def __init__(self, root):
        self.root = pathlib.Path(root)

    def program(self, path):
        """Absolute path of an unpacked program, for instance `usr/sbin/unbound`."""
        return str(self.root / path.lstrip("/"))

    def library_path(self):
        """Value for LD_LIBRARY_PATH: every folder of the tree that holds shared libraries."""
        folders = sorted({str(file.parent) for file in self.root.rglob("*.so*") if "/plugins/" not in str(file)})
        return ":".join(folders)

    def environment(self):
        """This process's environment, with the tree's libraries and programs first."""
        programs = ":".join(str(self.root / folder) for folder in ("usr/sbin", "usr/bin", "sbin", "bin"))
        path = os.environ.get("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        return {**os.environ, "LD_LIBRARY_PATH": self.library_path(), "PATH": f"{programs}:{path}"}

    def missing_libraries(self, programs):
        """Libraries that the dynamic linker does not find for these programs."""
        missing = []
        for program in programs:
            listing = subprocess.run(["ldd", self.program(program)], env=self.environment(), capture_output=True, text=True)
            missing += [line.split()[0] for line in listing.stdout.splitlines() if "not found" in line]
        return missing


# What each package must be able to start; asked of the dynamic linker after unpacking and before each use.
PROGRAMS = {
    "unbound": ["usr/sbin/unbound", "usr/sbin/unbound-checkconf", "usr/sbin/unbound-control"],
    "ldnsutils": ["usr/bin/ldns-keygen", "usr/bin/ldns-signzone", "usr/bin/ldns-key2ds"],
    "postfix": ["usr/lib/postfix/sbin/master", "usr/lib/postfix/sbin/smtpd", "usr/sbin/postconf", "usr/sbin/posttls-finger"],
    "bind9": ["usr/sbin/named"],
    "knot": ["usr/sbin/knotd", "usr/sbin/knotc"],
    "opendkim": ["usr/sbin/opendkim"],
    "sasl2-bin": ["usr/sbin/saslpasswd2"],
    "nsd": ["usr/sbin/nsd", "usr/sbin/nsd-checkconf"],
    "exim4-daemon-light": ["usr/sbin/exim4"],
    "systemd": ["usr/bin/systemd-analyze"],
    "bsd-mailx": ["usr/bin/bsd-mailx"],
    "mailutils": ["usr/bin/mail.mailutils"],
    "haproxy": ["usr/sbin/haproxy"],
    "prometheus-alertmanager": ["usr/bin/prometheus-alertmanager"],
    "golang-go": ["usr/bin/go"],
}


def unpack(package):
    """Provides the tree of one package of PROGRAMS, from the cache when it is there.

    Raises UnpackError when the package cannot be downloaded or its programs cannot start.
    """
    assert_to_be_had(package)
    PEERS.mkdir(parents=True, exist_ok=True)
    with open(PEERS / "lock", "w") as lock:
        # Tests run side by side; the second one waits and finds what the first has unpacked.
        fcntl.flock(lock, fcntl.LOCK_EX)
        return _unpack_alone(package)


def _unpack_alone(package):
    folder = PEERS / package
    tree = Tree(folder / "root")
    if (folder / "complete").exists() and not tree.missing_libraries(PROGRAMS[package]):
        return tree
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "archives").mkdir(parents=True)
    (folder / "root").mkdir()
    _download(package, _packages_needed(package), folder / "archives")
    for archive in sorted((folder / "archives").glob("*.deb")):
        subprocess.run(["dpkg", "-x", str(archive), str(tree.root)], check=True)
    missing = tree.missing_libraries(PROGRAMS[package])
    if missing:
        raise UnpackError(package, f"it was unpacked but lacks {', '.join(missing)}; run 'apt-get update' and try again")
    shutil.rmtree(folder / "archives")
    (folder / "complete").touch()
    return tree


def _packages_needed(package):
    """The package and everything that installing it would bring, by a simulation that installs nothing."""
    command = ["apt-get", "install", "--simulate", "--yes", "--no-install-recommends", package]
    for attempt in ("with the lists at hand", "after an update"):
        answer = subprocess.run(command, capture_output=True, text=True)
        names = [line.split()[1] for line in answer.stdout.splitlines() if line.startswith("Inst ")]
        if answer.returncode == 0 and names:
            return names
        if answer.returncode == 0 and "is already the newest version" in answer.stdout:
            return [package]
        if attempt == "with the lists at hand":
            subprocess.run(["apt-get", "update"], capture_output=True)
    reason = answer.stderr.strip().splitlines()[-1:] or ["no reason given"]
    raise UnpackError(package, f"apt-get cannot find it: {reason[0]}; check the machine's package sources")


def _download(package, names, folder):
    command = ["apt-get", "download", "-o", "APT::Sandbox::User=root", "-o", "Acquire::Retries=3", *names]
    answer = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if answer.returncode != 0:
        # Lists that are older than the mirror name versions that are gone; fresh lists cure that.
        subprocess.run(["apt-get", "update"], capture_output=True)
        answer = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if answer.returncode != 0:
        reason = answer.stderr.strip().splitlines()[-1:] or ["no reason given"]
        raise UnpackError(package, f"{' '.join(names)} could not be downloaded: {reason[0]}")


if __name__ == "__main__":
    import sys

    for name in sys.argv[1:] or PROGRAMS:
        print(name, unpack(name).root)
