"""Authoritative name servers of tests: BIND and Knot from Debian's packages, unpacked and never installed."""

import base64
import pathlib
import secrets
import subprocess

import dns.exception
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype

import debian_unpack
from processes import Process


class TsigKey:
    """A secret that updates are signed with."""

    def __init__(self, name, algorithm="hmac-sha256"):
        self.name = name
        self.algorithm = algorithm
        self.secret = base64.b64encode(secrets.token_bytes(32)).decode()

    def bind_text(self):
        return f'key "{self.name}" {{\n  algorithm {self.algorithm};\n  secret "{self.secret}";\n}};\n'

    def write(self, path):
        """Writes the key for its owner alone, as tsig-keygen does."""
        pathlib.Path(path).write_text(self.bind_text())
        pathlib.Path(path).chmod(0o600)
        return str(path)


def zone_text(apex, servers, lines=(), negative_ttl_s=1):
    """A zone with its name servers {name: address} and more lines."""
    text = [f"$ORIGIN {apex}.", "$TTL 1", f"@ IN SOA {next(iter(servers))}. hostmaster.{apex}. 1 3600 600 86400 {negative_ttl_s}"]
    for name, address in servers.items():
        text += [f"@ IN NS {name}.", f"{name}. IN A {address}"]
    return "\n".join([*text, *lines]) + "\n"


class _Server:
    """What both have in common: an address, a folder, questions."""

    def __init__(self, folder, name, address):
        self.folder = pathlib.Path(folder) / name
        self.folder.mkdir()
        self.name = name
        self.address = address
        self.zones = {}
        self.process = None

    def ask_txt(self, name):
        """The TXT texts that this server has at a name, or where a CNAME leads; None when it does not answer."""
        try:
            answer = dns.query.tcp(dns.message.make_query(name, "TXT"), self.address, timeout=2)
        except (dns.exception.DNSException, OSError, EOFError):
            return None
        if answer.rcode() not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
            return None
        records = [record for record_set in answer.answer for record in record_set]
        texts = [b"".join(record.strings).decode() for record in records if record.rdtype == dns.rdatatype.TXT]
        aliases = [record.target.to_text() for record in records if record.rdtype == dns.rdatatype.CNAME]
        return self.ask_txt(aliases[0]) if aliases and not texts else texts

    def _answers(self):
        try:
            question = dns.message.make_query(next(iter(self.zones)), "SOA")
            return bool(dns.query.udp(question, self.address, timeout=0.2).answer)
        except (dns.exception.DNSException, OSError):
            return False

    def stop(self):
        if self.process:
            self.process.stop()
            self.process = None

    def freeze(self):
        """Kills it as a crash would; start() brings it back with what is on its disk."""
        process, self.process = self.process, None
        process.kill()


class Bind(_Server):
    """BIND as primary server.

    @param keys  TSIG keys that may change TXT records
    """

    def __init__(self, folder, address, zones, keys=(), name="bind"):
        super().__init__(folder, name, address)
        self._tree = debian_unpack.unpack("bind9")
        self.zones = zones
        configuration = "".join(key.bind_text() for key in keys)
        policy = " ".join(f"grant {key.name} zonesub TXT;" for key in keys)
        configuration += f"""options {{
  directory "{self.folder}"; pid-file none; session-keyfile none; listen-on {{ {address}; }}; listen-on-v6 {{ none; }};
  recursion no; dnssec-validation no; notify no; allow-transfer {{ any; }}; empty-zones-enable no;
  managed-keys-directory "{self.folder}"; lock-file none;
}};
controls {{ }};
"""
        for apex, text in zones.items():
            (self.folder / f"{apex}.zone").write_text(text)
            configuration += (f'zone "{apex}" {{ type primary; file "{apex}.zone"; ' +
                              (f"update-policy {{ {policy} }}; " if policy else "") + "};\n")
        (self.folder / "named.conf").write_text(configuration)

    def start(self):
        # BIND listens on addresses that an interface has, and of 127.0.0.0/8 that is only the first.
        subprocess.run(["ip", "address", "replace", f"{self.address}/8", "dev", "lo"], check=True)
        command = [self._tree.program("usr/sbin/named"), "-g", "-c", str(self.folder / "named.conf"), "-n", "1"]
        self.process = Process("named", command, self.folder, self._tree.environment())
        self.process.wait_ready(self._answers)
        return self


class Knot(_Server):
    """Knot, as primary of some zones and as secondary of others, which it transfers when refresh() says so.

    @param secondary_of  {apex: address of the primary}
    """

    def __init__(self, folder, address, zones=None, secondary_of=None, keys=(), name="knot"):
        super().__init__(folder, name, address)
        self._tree = debian_unpack.unpack("knot")
        (self.folder / "db").mkdir()
        self.secondary_of = secondary_of or {}
        self.zones = {**(zones or {}), **dict.fromkeys(self.secondary_of)}
        lines = ["server:", f"  listen: {address}@53", f"  rundir: {self.folder}", "database:", f"  storage: {self.folder}/db",
                 "log:", "- target: stderr", "  any: info"]
        if keys:
            lines += ["key:"]
            for key in keys:
                lines += [f"- id: {key.name}", f"  algorithm: {key.algorithm}", f"  secret: {key.secret}"]
            lines += ["acl:", "- id: updates", f"  key: [{', '.join(key.name for key in keys)}]", "  action: update"]
        primaries = sorted(set(self.secondary_of.values()))
        if primaries:
            lines += ["remote:"]
            for primary in primaries:
                lines += [f"- id: at{primary}", f"  address: {primary}"]
        lines += ["template:", "- id: default", f"  storage: {self.folder}", "  journal-content: all" if primaries else
                  "  journal-content: changes", "zone:"]
        for apex, text in (zones or {}).items():
            (self.folder / f"{apex}.zone").write_text(text)
            lines += [f"- domain: {apex}", f"  file: {apex}.zone", *(["  acl: updates"] if keys else [])]
        for apex, primary in self.secondary_of.items():
            lines += [f"- domain: {apex}", f"  master: at{primary}"]
        (self.folder / "knot.conf").write_text("\n".join(lines) + "\n")

    def start(self):
        command = [self._tree.program("usr/sbin/knotd"), "-c", str(self.folder / "knot.conf")]
        self.process = Process("knotd", command, self.folder, self._tree.environment())
        self.process.wait_ready(self._answers)
        return self

    def refresh(self):
        """Fetches what the primaries have now."""
        for apex in self.secondary_of:
            subprocess.run([self._tree.program("usr/sbin/knotc"), "-c", str(self.folder / "knot.conf"), "zone-refresh", apex],
                           env=self._tree.environment(), check=True, capture_output=True, timeout=30)
