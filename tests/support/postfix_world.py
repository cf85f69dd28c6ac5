"""Debian's Postfix as a receiving host, run from where it was unpacked.

Nothing of the machine is needed or changed: `master` is started with a configuration, queue and data folder of its own.
Postfix insists on two accounts for itself; it gets two that base-passwd puts on every Debian machine and that nothing
uses (irc and list). Mail is kept in one Maildir, where a test reads it octet by octet.
"""

import email
import email.policy
import grp
import os
import pathlib
import pwd

import debian_unpack
from processes import Process, accepts_connections, wait_until

_MAIL_OWNER = "irc"
_SETGID_GROUP = "list"

_MASTER = """\
{endpoint} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


class Message:
    """One message as Postfix stored it."""

    def __init__(self, octets):
        self.octets = octets

    def recipient(self):
        """Address that it was delivered to, as virtual(8) noted in front."""
        line = next(line for line in self.octets.split(b"\n") if line.lower().startswith(b"delivered-to:"))
        return line.split(b":", 1)[1].strip().decode().lower()

    def parsed(self):
        return email.message_from_bytes(self.octets, policy=email.policy.default)

    def from_first_signature(self):
        """Octets with CRLF from the first DKIM-Signature on: without the trace fields that the receiving host put in front."""
        wire = self.octets.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        start = wire.lower().find(b"dkim-signature:")
        return wire[max(start, 0):]


class Postfix:
    """One receiving host.

    @param domains    recipient domains it accepts mail for, every local part
    @param identity   certificates.Identity to offer with STARTTLS; None: STARTTLS is not offered
    @param settings   lines of main.cf that come last, as a dict
    """

    def __init__(self, folder, name, address, port, domains, identity=None, settings=None):
        self.tree = debian_unpack.unpack("postfix")
        self.name = name
        self.address = address
        self.port = port
        self.domains = list(domains)
        self.folder = pathlib.Path(folder) / f"postfix-{name}"
        self.mail = self.folder / "mail"
        self.log_path = self.folder / "log" / "mail.log"
        self.process = None
        self._settings = dict(settings or {})
        self._make_folders()
        self.use_identity(identity)

    def use_identity(self, identity):
        """Changes the certificate; a running host is restarted with it."""
        running = self.process is not None
        self.stop()
        self.identity = identity
        tls = {"smtpd_tls_security_level": "none"}
        if identity:
            chain, key = identity.write(self.folder, "host")
            tls = {"smtpd_tls_security_level": "may", "smtpd_tls_cert_file": chain, "smtpd_tls_key_file": key}
        self._write_configuration(tls)
        if running:
            self.start()

    def start(self):
        environment = {**self.tree.environment(), "MAIL_CONFIG": str(self.folder)}
        command = [self.tree.program("usr/lib/postfix/sbin/master"), "-d", "-c", str(self.folder)]
        self.process = Process(f"postfix-{self.name}", command, self.folder, environment)
        self.process.wait_ready(lambda: accepts_connections(self.address, self.port))
        return self

    def stop(self):
        if self.process:
            self.process.stop()
            self.process = None

    def messages(self, recipient):
        """Messages that were delivered to one address, oldest first."""
        return [message for message in self.all_messages() if message.recipient() == recipient.lower()]

    def all_messages(self):
        """Every message of this host, oldest first."""
        folder = self.mail / "all" / "new"
        files = sorted(folder.iterdir(), key=lambda file: file.stat().st_mtime_ns) if folder.exists() else []
        return [Message(file.read_bytes()) for file in files]

    def wait_for_message(self, recipient, count=1, timeout_s=30):
        """Waits until an address has `count` messages, and gives the newest."""
        return wait_until(lambda: len(self.messages(recipient)) >= count and self.messages(recipient),
                          timeout_s, f"message {count} for {recipient} at {self.name}")[-1]

    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def _make_folders(self):
        owner, group = pwd.getpwnam(_MAIL_OWNER).pw_uid, grp.getgrnam(_SETGID_GROUP).gr_gid
        self.folder.mkdir()
        for path, mode, user, gid in (
                ("log", 0o755, 0, 0), ("mail", 0o755, owner, -1), ("data", 0o700, owner, -1), ("queue", 0o755, 0, 0),
                ("queue/pid", 0o755, 0, 0), ("queue/private", 0o700, owner, -1), ("queue/public", 0o710, owner, group),
                ("queue/maildrop", 0o1730, owner, group)):
            (self.folder / path).mkdir()
            os.chown(self.folder / path, user, gid)
            os.chmod(self.folder / path, mode)
        for path in ("active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "saved", "trace"):
            (self.folder / "queue" / path).mkdir(mode=0o700)
            os.chown(self.folder / "queue" / path, owner, -1)

    def _write_configuration(self, tls):
        owner = pwd.getpwnam(_MAIL_OWNER)
        programs = self.tree.program("usr/lib/postfix/sbin")
        settings = {
            "compatibility_level": "3.6",
            "queue_directory": self.folder / "queue",
            "data_directory": self.folder / "data",
            "daemon_directory": programs,
            "command_directory": self.tree.program("usr/sbin"),
            "meta_directory": self.tree.program("etc/postfix"),
            "shlib_directory": "no",
            "mail_owner": _MAIL_OWNER,
            "setgid_group": _SETGID_GROUP,
            "default_privs": "nobody",
            # Children of master see only what is named here, and they need the unpacked libraries.
            "import_environment": f"MAIL_CONFIG={self.folder} LD_LIBRARY_PATH={self.tree.library_path()} LANG=C",
            "myhostname": self.name,
            "mydestination": "",
            "local_transport": "error:no local mail here",
            "alias_maps": "",
            "alias_database": "",
            "local_recipient_maps": "",
            "mynetworks": "",
            # The address to listen on stands in master.cf; here only addresses that an interface carries are allowed.
            "inet_interfaces": "127.0.0.1",
            "inet_protocols": "ipv4",
            "smtpd_peername_lookup": "no",
            "smtpd_client_connection_count_limit": "0",
            "smtpd_relay_restrictions": "reject_unauth_destination",
            "default_transport": "discard",
            "virtual_transport": "virtual",
            "virtual_mailbox_domains": ", ".join(self.domains),
            "virtual_mailbox_base": self.mail,
            "virtual_mailbox_maps": "static:all/",
            "virtual_minimum_uid": "1",
            "virtual_uid_maps": f"static:{owner.pw_uid}",
            "virtual_gid_maps": f"static:{owner.pw_gid}",
            "virtual_mailbox_limit": "0",
            "message_size_limit": "104857600",
            "smtpd_tls_loglevel": "1",
            "smtpd_tls_received_header": "yes",
            "maillog_file": self.log_path,
            "maillog_file_prefixes": self.folder,
            **tls,
            **self._settings,
        }
        (self.folder / "main.cf").write_text("".join(f"{key} = {value}\n" for key, value in settings.items()))
        (self.folder / "master.cf").write_text(_MASTER.format(endpoint=f"{self.address}:{self.port}"))
