"""Unpacks Debian packages under the build folder, so that their programs run without being installed.

Packages that start a service when they are installed (unbound, postfix) are only ever used this way: nothing of the
machine changes. A package and whatever it needs that is not installed are downloaded with `apt-get download` and
unpacked with `dpkg -x`, once; the tree is kept and used again without a network.
"""

import fcntl
import os
import pathlib
import shutil
import subprocess

PROJECT = pathlib.Path(__file__).resolve().parents[2]
PEERS = PROJECT / "build" / "peers"


class UnpackError(Exception):
    """A package could not be fetched or does not run; the text says what to do."""


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
}


def unpack(package):
    """Provides the tree of one package of PROGRAMS, from the cache when it is there.

    Raises UnpackError when the package cannot be downloaded or its programs cannot start.
    """
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
    _download(_packages_needed(package), folder / "archives")
    for archive in sorted((folder / "archives").glob("*.deb")):
        subprocess.run(["dpkg", "-x", str(archive), str(tree.root)], check=True)
    missing = tree.missing_libraries(PROGRAMS[package])
    if missing:
        raise UnpackError(f"{package} was unpacked but lacks {', '.join(missing)}; run 'apt-get update' and try again")
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
    raise UnpackError(f"apt-get cannot find {package}: {reason[0]}; check the machine's package sources")


def _download(names, folder):
    command = ["apt-get", "download", "-o", "APT::Sandbox::User=root", "-o", "Acquire::Retries=3", *names]
    answer = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if answer.returncode != 0:
        # Lists that are older than the mirror name versions that are gone; fresh lists cure that.
        subprocess.run(["apt-get", "update"], capture_output=True)
        answer = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if answer.returncode != 0:
        reason = answer.stderr.strip().splitlines()[-1:] or ["no reason given"]
        raise UnpackError(f"{' '.join(names)} could not be downloaded: {reason[0]}")


if __name__ == "__main__":
    import sys

    for name in sys.argv[1:] or PROGRAMS:
        print(name, unpack(name).root)
