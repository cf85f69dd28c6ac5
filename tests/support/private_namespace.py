"""Runs a test program in network, mount, process and host name namespaces of its own.

Inside, every address of 127.0.0.0/8 and every port below 1024 is free, no packet can leave, mounts and the host's name are
seen by nobody else, and all processes end with the program. Needs root.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

_MARK = "WAXWING_PRIVATE_NAMESPACE"


def inside():
    """Whether enter() has been through already."""
    return os.environ.get(_MARK) == "inside"


def enter():
    """Starts this program again inside new namespaces; returns at once when it already runs there."""
    if inside():
        return
    if os.geteuid() != 0:
        sys.exit("this test makes namespaces and binds port 25 in them, so it must be run as root")
    command = ["unshare", "--net", "--mount", "--uts", "--pid", "--fork", "--kill-child", "--mount-proc"]
    inner = 'ip link set lo up && exec "$@"'
    os.environ[_MARK] = "inside"
    os.execvp(command[0], [*command, "sh", "-c", inner, "sh", "/usr/bin/python3", *sys.orig_argv[1:]])


def mount_small_disk(path, size_octets):
    """Mounts an empty file system of a fixed size, for what happens when a disk is full."""
    os.makedirs(path, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size_octets},mode=0755", "tmpfs", path], check=True)


def resize_disk(path, size_octets):
    """Changes the size of a disk that mount_small_disk() made."""
    subprocess.run(["mount", "-o", f"remount,size={size_octets}", path], check=True)


def unmount(path):
    subprocess.run(["umount", "--lazy", path], check=True)


def show_file(source, path):
    """Shows a file at `path`, whether or not there is one."""
    path = pathlib.Path(path)
    if path.exists():
        subprocess.run(["mount", "--bind", source, path], check=True)
        return
    layers = pathlib.Path(tempfile.mkdtemp(prefix="waxwing-layers-"))
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", layers], check=True)
    for name in ("upper", "work"):
        (layers / name).mkdir(mode=0o755)
    shutil.copy(source, layers / "upper" / path.name)
    options = f"lowerdir={path.parent},upperdir={layers}/upper,workdir={layers}/work"
    subprocess.run(["mount", "-t", "overlay", "-o", options, "overlay", path.parent], check=True)
