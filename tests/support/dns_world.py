"""A throw-away signed DNS: a root and zones of our own, served and validated by Debian's unbound.

The root is signed, its key is the resolver's only trust anchor, and every signed zone has its DS in its parent, so that
answers carry AD for the same reasons as in the real DNS. Zones are values in Python: add or remove records, call
apply(), and the next answer shows the change; nothing is kept in a cache across apply().
"""

import pathlib
import socket
import subprocess

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype

import debian_unpack
from processes import Process

_ALGORITHM = "ECDSAP256SHA256"


class Zone:
    """One zone: its records, whether it is signed, and what is wrong with its signatures."""

    def __init__(self, name, parent, signed):
        self.name = name
        self.parent = parent
        self.signed = signed
        self.records = []
        self.expired = False
        self.broken = set()
        self.key_names = []
        self.signed_as = None

    def origin(self):
        return "." if self.name == "." else f"{self.name}."


class DnsWorld:
    """Zones and the resolver that serves and validates them.

    The default is a signed root and a signed zone `example`; TTLs are one second, so that clients that keep answers by
    TTL see changes soon.
    """

    def __init__(self, folder, address="127.0.0.1", port=53, ttl_s=1):
        self.folder = pathlib.Path(folder) / "dns"
        self.folder.mkdir(exist_ok=True)
        self.address = address
        self.port = port
        self.ttl_s = ttl_s
        self.process = None
        self._silent_zones = {}
        self._ldns = debian_unpack.unpack("ldnsutils")
        self._unbound = debian_unpack.unpack("unbound")
        self.zones = {}
        self.add_zone(".")
        self.add_zone("example")

    # Zones and records. Names are without the final dot.

    def add_zone(self, name, signed=True):
        """Adds a zone; a zone that is not signed has no DS in its parent: provably insecure."""
        parent = None if name == "." else max(
            (zone for zone in self.zones.values() if zone.name == "." or name.endswith("." + zone.name)),
            key=lambda zone: 0 if zone.name == "." else len(zone.name))
        zone = Zone(name, parent, signed)
        self.zones[name] = zone
        if signed:
            zone.key_names = [self._make_key(zone, ["-k"]), self._make_key(zone, [])]
        return zone

    def zone_of(self, name):
        """The zone that a name is in."""
        best = self.zones["."]
        for zone in self.zones.values():
            if (name == zone.name or name.endswith("." + zone.name)) and len(zone.name) > len(best.name.strip(".")):
                best = zone
        return best

    def add(self, name, record_type, data):
        """Adds one record, its data in presentation form."""
        self.zone_of(name).records.append((name, record_type, data))

    def add_txt(self, name, text):
        """Adds a TXT record, cut into strings of at most 255 octets."""
        pieces = [text[start:start + 255] for start in range(0, len(text), 255)] or [""]
        quoted = ['"' + piece.replace("\\", "\\\\").replace('"', '\\"') + '"' for piece in pieces]
        self.add(name, "TXT", " ".join(quoted))

    def remove(self, name, record_type=None):
        """Removes all records of a name, or those of one type."""
        zone = self.zone_of(name)
        zone.records = [entry for entry in zone.records
                        if entry[0] != name or (record_type is not None and entry[1] != record_type)]

    def replace(self, name, record_type, data):
        """Puts one record in the place of all of that name and type."""
        self.remove(name, record_type)
        self.add(name, record_type, data)

    def replace_txt(self, name, text):
        """As replace(), for a TXT record."""
        self.remove(name, "TXT")
        self.add_txt(name, text)

    def break_signature(self, name, record_type):
        """Spoils the signature over one record set: its answers become bogus (SERVFAIL)."""
        self.zone_of(name).broken.add((name, record_type))

    def repair_signatures(self):
        """Undoes break_signature() and expired zones."""
        for zone in self.zones.values():
            zone.broken.clear()
            zone.expired = False

    def silence(self, name):
        """Delegates a zone to a server that swallows every question."""
        server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        server.bind(("127.0.0.1", 0))
        self._silent_zones[name] = server

    # The server.

    def apply(self):
        """Signs what changed and makes the resolver serve it; starts it the first time."""
        children_first = sorted(self.zones.values(), key=lambda zone: zone.origin().count("."), reverse=True)
        for zone in sorted(children_first, key=lambda zone: zone.name == "."):
            self._write_zone(zone)
        self._write_configuration()
        if self.process is None or not self.process.running():
            self.start()
        else:
            self.control("reload")

    def start(self):
        """Starts the resolver and waits until it answers."""
        command = [self._unbound.program("usr/sbin/unbound"), "-d", "-p", "-c", str(self.folder / "unbound.conf")]
        self.process = Process("unbound", command, self.folder, self._unbound.environment())
        self.process.wait_ready(lambda: self.ask(".", "SOA", timeout_s=0.1).startswith("NOERROR AD"))

    def stop(self):
        """Stops the resolver; zones stay, and start() brings it back."""
        if self.process:
            self.process.stop()
            self.process = None

    def close(self):
        self.stop()
        for server in self._silent_zones.values():
            server.close()

    def control(self, *arguments):
        command = [self._unbound.program("usr/sbin/unbound-control"), "-c", str(self.folder / "unbound.conf"), *arguments]
        subprocess.run(command, env=self._unbound.environment(), check=True, capture_output=True, timeout=30)

    def ask(self, name, record_type, timeout_s=15):
        """Asks the resolver; gives the rcode, " AD" if the answer was validated, and the answer section, in one string.

        "NONE" when nothing comes back in time.
        """
        try:
            answer = self._query(name, record_type, timeout_s)
        except (dns.exception.Timeout, OSError):
            return "NONE"
        secure = " AD" if answer.flags & dns.flags.AD else ""
        return " ".join([dns.rcode.to_text(answer.rcode()) + secure, *(entry.to_text() for entry in answer.answer)])

    def lookup_txt(self, name, timeout=5):
        """TXT lookup in the form that dkimpy takes as `dnsfunc`."""
        answer = self._query(name.decode() if isinstance(name, bytes) else name, "TXT", timeout)
        for record_set in answer.answer:
            for record in record_set:
                if record.rdtype == dns.rdatatype.TXT:
                    return b"".join(record.strings)
        return None

    def _query(self, name, record_type, timeout_s):
        question = dns.message.make_query(name, record_type, want_dnssec=True)
        return dns.query.udp_with_fallback(question, self.address, timeout=timeout_s, port=self.port)[0]

    def _tool(self, name, *arguments):
        command = [self._ldns.program(f"usr/bin/{name}"), *arguments]
        answer = subprocess.run(command, cwd=self.folder, env=self._ldns.environment(), capture_output=True, text=True)
        if answer.returncode != 0:
            raise RuntimeError(f"{' '.join(command)}: {answer.stderr.strip() or answer.stdout.strip()}")
        return answer.stdout

    def _make_key(self, zone, options):
        return self._tool("ldns-keygen", "-a", _ALGORITHM, *options, zone.origin()).strip()

    def _write_zone(self, zone):
        lines = [f"$ORIGIN {zone.origin()}", f"$TTL {self.ttl_s}",
                 f"@ IN SOA ns.example. hostmaster.example. 1 3600 600 86400 {self.ttl_s}", "@ IN NS ns.example."]
        if zone.name == "example":
            lines.append(f"ns.example. IN A {self.address}")
        for child in self.zones.values():
            if child.parent is zone:
                lines.append(f"{child.origin()} IN NS ns.example.")
                if child.signed:
                    lines.append(self._tool("ldns-key2ds", "-n", "-2", f"{child.key_names[0]}.key").strip())
        if zone.name == ".":
            lines.append(f"ns.example. IN A {self.address}")
        lines += [f"{name}. IN {record_type} {data}" for name, record_type, data in zone.records]
        lines += [f"{name}. IN HINFO - -" for name in sorted(self._empty_nodes(zone))]
        file = self.folder / self._file_name(zone)
        text = "\n".join(lines) + "\n"
        state = (text, zone.expired, frozenset(zone.broken))
        if zone.signed_as == state:
            return
        file.write_text(text)
        if zone.signed:
            validity = ["-i", "20200101000000", "-e", "20200201000000"] if zone.expired else []
            self._tool("ldns-signzone", *validity, "-f", f"{file}.signed", "-o", zone.origin(), str(file), *zone.key_names)
            self._spoil(zone, pathlib.Path(f"{file}.signed"))
        zone.signed_as = state

    @staticmethod
    def _empty_nodes(zone):
        """Names that exist only because something is below them.

        They get a record that nobody asks for: unbound 1.17 takes the wrong wildcard into its proof that a name below an
        empty node does not exist, and then finds its own answer bogus.
        """
        owners = {name for name, _, _ in zone.records} | {zone.name}
        nodes = set()
        for name in owners:
            while "." in name and zone.name != ".":
                name = name.split(".", 1)[1]
                if name == zone.name or not name.endswith("." + zone.name):
                    break
                nodes.add(name)
        return nodes - owners

    def _spoil(self, zone, file):
        lines = file.read_text().splitlines()
        for index, line in enumerate(lines):
            fields = line.split("\t")
            for name, record_type in zone.broken:
                if len(fields) > 4 and fields[0] == f"{name}." and fields[3] == "RRSIG" and fields[4].startswith(f"{record_type} "):
                    head, signature = line.rsplit(" ", 1)
                    lines[index] = f"{head} {'B' if signature[0] == 'A' else 'A'}{signature[1:]}"
        file.write_text("\n".join(lines) + "\n")

    @staticmethod
    def _file_name(zone):
        return "root.zone" if zone.name == "." else f"{zone.name}.zone"

    def _write_configuration(self):
        anchor = (self.folder / f"{self.zones['.'].key_names[0]}.key").read_text()
        (self.folder / "anchor.key").write_text(anchor)
        text = f"""server:
  interface: {self.address}@{self.port}
  access-control: 127.0.0.0/8 allow
  directory: "{self.folder}"
  chroot: ""
  username: ""
  pidfile: ""
  use-syslog: no
  logfile: ""
  verbosity: 1
  val-log-level: 2
  do-daemonize: no
  do-ip6: no
  num-threads: 1
  module-config: "validator iterator"
  trust-anchor-file: "{self.folder}/anchor.key"
  trust-anchor-signaling: no
  do-not-query-localhost: no
  val-bogus-ttl: 1
  cache-max-negative-ttl: 1
remote-control:
  control-enable: yes
  control-interface: "{self.folder}/control"
  control-use-cert: no
"""
        for zone in self.zones.values():
            suffix = ".signed" if zone.signed else ""
            text += (f'auth-zone:\n  name: "{zone.origin()}"\n  zonefile: "{self._file_name(zone)}{suffix}"\n'
                     "  for-downstream: no\n  for-upstream: yes\n  fallback-enabled: no\n")
        for name, server in self._silent_zones.items():
            text += f'stub-zone:\n  name: "{name}"\n  stub-addr: 127.0.0.1@{server.getsockname()[1]}\n'
        (self.folder / "unbound.conf").write_text(text)
