"""Debian's Postfix with OpenDKIM as a submission relay that does the same work, for comparison.

AUTH PLAIN with Cyrus SASL, TLS in, an RSA-2048 signature by OpenDKIM as a milter, and delivery over TLS that DANE
authenticates, on connections that are kept. Tuned as its manual suggests for volume: no throttling of clients, processes
enough, connections and TLS sessions reused. Everything runs from where it was unpacked.
"""

import pathlib
import subprocess

import debian_unpack
import postfix_accounts
from processes import Process, accepts_connections

_MASTER_EXTRA = """\
{tls_endpoint} inet n - n - - smtpd
  -o smtpd_tls_wrappermode=yes
tlsproxy unix - - n - 0 tlsproxy
"""

_OPENDKIM = """\
Mode s
Domain {domain}
Selector {selector}
KeyFile {key}
Socket inet:{port}@127.0.0.1
Canonicalization relaxed/relaxed
OversignHeaders From
Background no
UserID root
RequireSafeKeys no
Syslog no
"""

_MILTER_PORT = 8891


class PostfixRelay(postfix_accounts.PostfixWithAccounts):
    """Listens on 127.0.0.1: `clear_port` (STARTTLS offered) and `tls_port`."""

    def __init__(self, folder, name, clear_port, tls_port, identity, user, password, domain, selector="s1"):
        self.tls_port = tls_port
        self.dkim_tree = debian_unpack.unpack("opendkim")
        self.dkim = None
        self.key = pathlib.Path(folder) / f"{name}-dkim.pem"
        subprocess.run(["openssl", "genrsa", "-traditional", "-out", str(self.key), "2048"], check=True, capture_output=True)
        super().__init__(folder, name, "127.0.0.1", clear_port, identity, {user: password}, "PLAIN", {
            "smtpd_relay_restrictions": "permit_sasl_authenticated, reject_unauth_destination",
            "smtpd_recipient_restrictions": "",
            "default_transport": "smtp",
            "relay_transport": "smtp",
            "smtp_tls_security_level": "dane",
            "smtp_dns_support_level": "dnssec",
            "smtp_host_lookup": "dns",
            "smtp_tls_connection_reuse": "yes",
            "smtp_tls_session_cache_database": f"btree:{folder}/postfix-{name}/data/smtp_scache",
            "smtpd_tls_session_cache_database": f"btree:{folder}/postfix-{name}/data/smtpd_scache",
            "smtp_connection_cache_on_demand": "yes",
            "smtp_bind_address": "127.0.0.1",
            "default_process_limit": "200",
            "smtp_destination_concurrency_limit": "20",
            "initial_destination_concurrency": "20",
            "qmgr_message_active_limit": "40000",
            "in_flow_delay": "0",
            "smtpd_client_connection_rate_limit": "0",
            "anvil_rate_time_unit": "60s",
            "smtpd_milters": f"inet:127.0.0.1:{_MILTER_PORT}",
            "milter_default_action": "tempfail",
            "smtpd_tls_loglevel": "0",
            "virtual_mailbox_domains": "",
        })
        with open(self.folder / "master.cf", "a", encoding="ascii") as master:
            master.write(_MASTER_EXTRA.format(tls_endpoint=f"127.0.0.1:{tls_port}"))
        self.opendkim_configuration = self.folder / "opendkim.conf"
        self.opendkim_configuration.write_text(_OPENDKIM.format(domain=domain, selector=selector, key=self.key, port=_MILTER_PORT))

    def start(self):
        command = [self.dkim_tree.program("usr/sbin/opendkim"), "-f", "-x", str(self.opendkim_configuration)]
        self.dkim = Process(f"opendkim-{self.name}", command, self.folder, self.dkim_tree.environment())
        self.dkim.wait_ready(lambda: accepts_connections("127.0.0.1", _MILTER_PORT))
        return super().start()

    def stop(self):
        super().stop()
        if self.dkim:
            self.dkim.stop()
            self.dkim = None

    def process_ids(self):
        """Postfix's master, whose children count with it, and OpenDKIM."""
        return [self.process.pid, self.dkim.pid]

    def waiting(self):
        """Messages in the queue."""
        return sum(1 for queue in ("maildrop", "incoming", "active", "deferred")
                   for file in (self.folder / "queue" / queue).rglob("*") if file.is_file())
