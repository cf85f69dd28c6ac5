"""A DNS server in the resolver's place that does as it is told: lies, fails for one type alone, loops, floods, says nothing.

It sets AD on every answer, as a resolver that has validated would, so that the relay believes what it says. dns_world.py
shows what happens with honest DNS; this one shows what can be made of the relay by whoever owns a zone.
"""

import socket
import struct
import threading

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset

_MAX_UDP_OCTETS = 1232
_MAX_MESSAGE_OCTETS = 65_535
_TTL_S = 60


def refuse(rcode):
    """Answers with an rcode, not validated."""
    def answer(_, response):
        response.set_rcode(rcode)
        response.flags &= ~dns.flags.AD
        return response.to_wire()
    return answer


def say_nothing(*_):
    """Swallows the question."""
    return None


def garbage(question, _):
    """Octets with the right id that are no message: counts without records, then a compression pointer to itself."""
    return struct.pack("!HHHHHH", question.id, 0x81A0, 1, 9, 0, 0) + b"\xc0\x0c" * 50


def loop_of_aliases(question, response):
    """Two aliases that point at each other, over and over."""
    here = question.question[0].name
    there = dns.name.from_text("loop", here)
    for name, target in ((here, there), (there, here)) * 20:
        add_record(response, name, dns.rdatatype.CNAME, target.to_wire())
    return response.to_wire(max_size=_MAX_MESSAGE_OCTETS)


def raw_records(record_type, *rdata):
    """Records with any octets as data, whether they are data of that type or not."""
    def answer(question, response):
        for octets in rdata:
            add_record(response, question.question[0].name, record_type, octets)
        return response.to_wire(max_size=_MAX_MESSAGE_OCTETS)
    return answer


def add_record(response, name, record_type, octets):
    record = dns.rdata.GenericRdata(dns.rdataclass.IN, record_type, octets)
    response.answer.append(dns.rrset.from_rdata(name, _TTL_S, record))


class HostileDns:
    """Listens by UDP and TCP. Names that nobody added do not exist, and that is "proven", too."""

    def __init__(self, address="127.0.0.1", port=53):
        self.address = address
        self.port = port
        self.records = {".": {}}
        self.lies = {}
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind((address, port))
        self.tcp = socket.create_server((address, port), backlog=64)
        for work in (self._serve_udp, self._accept_tcp):
            threading.Thread(target=work, daemon=True).start()

    def close(self):
        for listener in (self.udp, self.tcp):
            try:
                listener.shutdown(socket.SHUT_RDWR)  # wakes its thread, which would keep the port
            except OSError:
                pass  # said of every socket that is not connected, after it has worked
            listener.close()

    # What it says. Names are without the final dot.

    def add(self, name, record_type, data):
        """Adds one record, its data in presentation form."""
        self.records.setdefault(name, {}).setdefault(record_type, []).append(data)

    def replace_txt(self, name, text):
        """Puts one TXT record in the place of all of that name, cut into strings of at most 255 octets."""
        pieces = [text[start:start + 255] for start in range(0, len(text), 255)]
        self.records.setdefault(name, {})["TXT"] = [" ".join(f'"{piece}"' for piece in pieces)]

    def lie(self, name, record_type, answer):
        """Answers questions for a name and type by `answer(question, response)`: octets, or None to say nothing."""
        self.records.setdefault(name, {})
        self.lies[(name, record_type)] = answer

    def apply(self):
        """Nothing to do: what was said counts at once."""

    # How it says it.

    def _answer(self, octets):
        question = dns.message.from_wire(octets)
        name = question.question[0].name.to_text(omit_final_dot=True).lower() or "."
        record_type = dns.rdatatype.to_text(question.question[0].rdtype)
        response = dns.message.make_response(question, recursion_available=True)
        response.flags |= dns.flags.AD
        if (name, record_type) in self.lies:
            return self.lies[(name, record_type)](question, response)
        known = self.records.get(name)
        if known is None and not any(other.endswith("." + name) for other in self.records):
            response.set_rcode(dns.rcode.NXDOMAIN)
        for data in (known or {}).get(record_type, []):
            response.answer.append(dns.rrset.from_text(question.question[0].name, _TTL_S, "IN", record_type, data))
        return response.to_wire(max_size=_MAX_MESSAGE_OCTETS)

    def _serve_udp(self):
        while True:
            try:
                octets, peer = self.udp.recvfrom(4096)
            except OSError:
                return
            threading.Thread(target=self._answer_udp, args=(octets, peer), daemon=True).start()

    def _answer_udp(self, octets, peer):
        try:
            answer = self._answer(octets)
            if answer is not None and len(answer) > _MAX_UDP_OCTETS:
                short = dns.message.make_response(dns.message.from_wire(octets), recursion_available=True)
                short.flags |= dns.flags.TC
                answer = short.to_wire()
            if answer is not None:
                self.udp.sendto(answer, peer)
        except (OSError, dns.exception.DNSException):
            pass

    def _accept_tcp(self):
        while True:
            try:
                connection, _ = self.tcp.accept()
            except OSError:
                return
            threading.Thread(target=self._serve_tcp, args=(connection,), daemon=True).start()

    def _serve_tcp(self, connection):
        with connection:
            connection.settimeout(30)
            reader = connection.makefile("rb")
            try:
                while len(length := reader.read(2)) == 2:
                    answer = self._answer(reader.read(struct.unpack("!H", length)[0]))
                    if answer is not None:
                        connection.sendall(struct.pack("!H", len(answer)) + answer)
            except (OSError, dns.exception.DNSException):
                pass
