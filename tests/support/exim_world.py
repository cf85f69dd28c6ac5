"""Debian's Exim as a receiving host, run from where it was unpacked; it uses GnuTLS where everybody else here does not.

It accepts mail for its domains into a queue that it never runs, where a test counts recipients. Debian's Exim insists on
an account `Debian-exim`; use_account() gives it one that nobody outside the private mount namespace sees.
"""

import os
import pathlib
import pwd
import subprocess

import debian_unpack
from processes import Process, accepts_connections, wait_until

_ACCOUNT = "Debian-exim"
_OWNER = "irc"  # an account of base-passwd that nothing uses


def use_account(folder):
    """Adds Exim's account to what this mount namespace takes for /etc/passwd and /etc/group."""
    owner = pwd.getpwnam(_OWNER)
    for file, line in (("passwd", f"{_ACCOUNT}:x:{owner.pw_uid}:{owner.pw_gid}::/nonexistent:/usr/sbin/nologin\n"),
                       ("group", f"{_ACCOUNT}:x:{owner.pw_gid}:\n")):
        copy = pathlib.Path(folder) / file
        copy.write_text(pathlib.Path(f"/etc/{file}").read_text() + line)
        os.chmod(copy, 0o644)
        subprocess.run(["mount", "--bind", str(copy), f"/etc/{file}"], check=True)


class Exim:
    """One receiving host.

    @param domains   recipient domains it accepts mail for, every local part
    @param identity  certificates.Identity to offer with STARTTLS; None: STARTTLS is not offered
    """

    def __init__(self, folder, name, address, port, domains, identity=None):
        self.tree = debian_unpack.unpack("exim4-daemon-light")
        self.name = name
        self.address = address
        self.port = port
        self.folder = pathlib.Path(folder) / f"exim-{name}"
        self.process = None
        owner = pwd.getpwnam(_OWNER)
        for part in ("", "spool", "log"):
            (self.folder / part).mkdir()
            os.chown(self.folder / part, owner.pw_uid, owner.pw_gid)
        tls = "tls_advertise_hosts =\n"
        if identity:
            chain, key = identity.write(self.folder, "host")
            os.chown(key, owner.pw_uid, owner.pw_gid)
            tls = f"tls_advertise_hosts = *\ntls_certificate = {chain}\ntls_privatekey = {key}\n"
        (self.folder / "exim.conf").write_text(f"""primary_hostname = {name}
spool_directory = {self.folder}/spool
log_file_path = {self.folder}/log/%slog
pid_file_path = {self.folder}/spool/exim.pid
daemon_smtp_ports = {port}
local_interfaces = {address}
host_lookup =
rfc1413_query_timeout = 0s
queue_only
acl_smtp_rcpt = acceptable
{tls}begin acl
acceptable:
  accept domains = {" : ".join(domains)}
""")

    def start(self):
        command = [self.tree.program("usr/sbin/exim4"), "-bdf", "-C", str(self.folder / "exim.conf")]
        self.process = Process(f"exim-{self.name}", command, self.folder, self.tree.environment())
        self.process.wait_ready(lambda: accepts_connections(self.address, self.port))
        return self

    def stop(self):
        if self.process:
            self.process.stop()
            self.process = None

    def count(self, recipient):
        """Messages in its queue for one address."""
        headers = (self.folder / "spool" / "input").rglob("*-H")
        return sum(recipient in file.read_text(errors="replace").split("\n\n", 1)[0].splitlines() for file in headers)

    def wait_for_message(self, recipient, timeout_s=30):
        wait_until(lambda: self.count(recipient), timeout_s, f"a message for {recipient} at {self.name}")

    def log(self):
        return "".join(file.read_text(errors="replace") for file in sorted((self.folder / "log").iterdir()))
