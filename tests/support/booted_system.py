"""A Debian system that a real systemd has started: this machine's files under an overlay, in namespaces of their own.

Nothing that happens in it is seen outside, and all of it is gone at the end. It shares the network of who starts it, so
that a test's servers are reached.
"""

import os
import pathlib
import re
import subprocess

import processes

SYSTEMD = "/lib/systemd/systemd"
TARGET = "waxwing-test.target"
# What a machine starts and a test does not need, or what would touch hardware and other people's settings.
UNWANTED = re.compile(r"getty|udev|modules|modprobe|logind|networkd|resolved|timesync|apt|fstrim|e2scrub|cron|dpkg|man-db|hwdb"
                      r"|ldconfig|quota|swap|remount|sysctl|kmod|tmpfiles-setup-dev|tmpfiles-clean|binfmt|journal-flush|audit"
                      r"|firstboot|dbus|mount$|automount$")

# Runs as the first process of the new namespaces; $1: the folder to work in.
BOOT = """set -e
mount --make-rprivate /
mount -t tmpfs tmpfs "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
cd "$1/root"
mount -t proc proc proc
mount -t tmpfs tmpfs run
mount -t tmpfs tmpfs tmp
mount -t tmpfs -o mode=755 tmpfs dev
for node in null zero full random urandom tty; do touch dev/$node; mount --bind /dev/$node dev/$node; done
mkdir dev/shm dev/pts
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
mount -t sysfs sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
sh "$2"
mkdir before
pivot_root . before
umount --lazy /before
rmdir /before
exec /usr/bin/env -i container=lxc PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \\
  """ + SYSTEMD + " --system --unit=" + TARGET + " --log-target=journal --show-status=no\n"


def missing():
    """Why no system can be started here; empty: one can."""
    return "" if os.access(SYSTEMD, os.X_OK) else f"there is no {SYSTEMD}; install the package systemd"


class BootedSystem:
    """One system, from start() to stop().

    @param folder   where its log goes; it works in a file system of memory
    @param prepare  lines of a shell script that runs in the root of the new system, before anything of it is started
    """

    def __init__(self, folder, prepare):
        self.folder = pathlib.Path(folder) / "system"
        self.folder.mkdir()
        (self.folder / "root").mkdir()
        units = [unit.name for unit in pathlib.Path("/lib/systemd/system").iterdir() if UNWANTED.search(unit.name)]
        self.prepare = self.folder / "prepare"
        self.prepare.write_text("set -e\nrm -rf etc/systemd/system\nmkdir -p etc/systemd/system\n"
                                "echo 0123456789abcdef0123456789abcdef > etc/machine-id\n"
                                f"for unit in {' '.join(units)}; do ln -s /dev/null etc/systemd/system/$unit; done\n"
                                f"printf '[Unit]\\nRequires=basic.target\\nAfter=basic.target\\n' > etc/systemd/system/{TARGET}\n"
                                + prepare)
        (self.folder / "boot").write_text(BOOT)
        self.process = None
        self.init = None

    def start(self):
        command = ["unshare", "--mount", "--pid", "--uts", "--ipc", "--cgroup", "--fork", "--kill-child", "sh", self.folder / "boot",
                   self.folder / "root", self.prepare]
        self.process = processes.Process("systemd", [str(part) for part in command], self.folder, dict(os.environ))
        self.process.wait_ready(self._is_up, 60)
        return self

    def _is_up(self):
        if self.init is None:
            children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
            if not children or pathlib.Path(f"/proc/{children[0]}/comm").read_text().strip() != "systemd":
                return False
            self.init = int(children[0])
        return self.run("systemctl", "is-active", TARGET).stdout.strip() == "active"

    def run(self, *command, stdin="", environment=None):
        """Runs a command in the system as root; gives its CompletedProcess."""
        inside = ["nsenter", "--target", str(self.init), "--mount", "--pid", "--uts", "--ipc", "--cgroup", "--root", "--wd",
                  "env", "-i", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8",
                  *(f"{name}={value}" for name, value in (environment or {}).items()), *map(str, command)]
        return subprocess.run(inside, input=stdin, capture_output=True, text=True, timeout=180)

    def ask(self, *command, stdin=""):
        """Runs a command that must succeed; gives what it printed."""
        answer = self.run(*command, stdin=stdin)
        if answer.returncode != 0:
            raise AssertionError(f"{' '.join(map(str, command))} ended with {answer.returncode}: {answer.stdout}{answer.stderr}")
        return answer.stdout

    def unit(self, name, *properties):
        """Properties of a unit as {name: value}."""
        lines = self.ask("systemctl", "show", name, *(f"--property={each}" for each in properties)).splitlines()
        return dict(line.split("=", 1) for line in lines if line)

    def journal(self, unit):
        """What a unit has logged."""
        return self.ask("journalctl", "--no-pager", "--output=cat", f"--unit={unit}")

    def stop(self):
        """Ends everything at once."""
        process, self.process = self.process, None
        if process is not None:
            process.kill()
