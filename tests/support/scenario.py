"""The world of an end-to-end test: signed DNS, receiving hosts, a sender's domain, and the relay between them.

    sender.example      where applications send from: DMARC p=reject, keys, and a mailbox for notifications
    127.0.0.1           resolver (53) and relay (2525)
    127.0.0.2 … 9       receiving hosts (25)
    127.0.0.10          host of MTA-STS policies (443)
"""

import pathlib
import smtplib
import sys
import unittest

import certificates
import debian_unpack
import dns_world
import postfix_world
import private_namespace
import processes
import relay
import stock_clients

SENDER = "ann@sender.example"
PASSWORD = "correct horse battery"
USER = "app"


def main(providers=()):
    """Runs the calling file's tests in namespaces of their own.

    @param providers  functions that fetch more than the world needs; tests of what cannot be had are skipped
    """
    if not private_namespace.inside():
        for package in ("unbound", "ldnsutils", "postfix"):
            debian_unpack.unpack(package)  # inside, there is no network to fetch them from
        debian_unpack.provide_ahead(providers)
    private_namespace.enter()
    unittest.main(module="__main__", verbosity=2 if "-v" in sys.argv else 1)


class Scenario(unittest.TestCase):
    """A test with one DNS, one authority and one relay for all tests of the class; each test says which hosts it adds."""

    relay_settings = {}
    relay_listeners = None

    @classmethod
    def setUpClass(cls):
        cls.folder = processes.scratch_folder("scenario")
        cls.addClassCleanup(processes.remove_folder, cls.folder)
        cls.authority = certificates.authority()
        cls.ca_file = str(cls.folder / "authority.pem")
        pathlib.Path(cls.ca_file).write_bytes(cls.authority.certificate_pem())
        cls.dns = dns_world.DnsWorld(cls.folder)
        cls.addClassCleanup(cls.dns.close)
        cls.dns.add_txt("_dmarc.sender.example", "v=DMARC1; p=reject; adkim=r; aspf=r")
        cls.build_world()
        cls.dns.apply()
        cls.relay = cls.make_relay()
        cls.relay.create_keys("sender.example", "s1")
        cls.relay.add_account(USER, PASSWORD)
        cls.relay.start()
        cls.addClassCleanup(cls.stop_relay)

    @classmethod
    def build_world(cls):
        """For subclasses: adds zones, records and hosts before anything is started."""

    @classmethod
    def make_relay(cls):
        return relay.Relay(cls.folder, cls.dns, {"delivery.ca_file": cls.ca_file, **cls.relay_settings}, cls.relay_listeners)

    @classmethod
    def stop_relay(cls):
        cls.relay.stop()

    @classmethod
    def receiving_host(cls, name, address, domains, identity, settings=None):
        """Starts a Postfix as MX of some domains, with address and MX records."""
        host = postfix_world.Postfix(cls.folder, name, address, 25, domains, identity, settings).start()
        cls.addClassCleanup(host.stop)
        cls.dns.add(name, "A", address)
        for domain in domains:
            cls.dns.add(domain, "MX", f"10 {name}.")
        return host

    # What tests do.

    def submit(self, recipient, sender=SENDER, text=None, header_from=None, port=2525):
        """Submits one message with AUTH; gives the reply to the final dot as (code, text)."""
        text = text or stock_clients.message(header_from or sender, recipient, subject=self.id().rsplit(".", 1)[-1][:60])
        with smtplib.SMTP("127.0.0.1", port, local_hostname="client.example", timeout=60) as client:
            client.login(USER, PASSWORD)
            code, reply = client.mail(sender)
            if code // 100 == 2:
                code, reply = client.rcpt(recipient)
            if code // 100 != 2:
                return code, reply.decode()
            code, reply = client.data(text.encode() if isinstance(text, str) else text)
            return code, reply.decode()

    def submit_ok(self, recipient, **more):
        """Submits one message that must be acknowledged; gives the queue id."""
        code, reply = self.submit(recipient, **more)
        self.assertEqual(code, 250, reply)
        self.assertRegex(reply, r"^2\.0\.0 Ok: queued as \w+$")
        return reply.rsplit(" ", 1)[1]

    def assert_deferred(self, recipient, *words, timeout_s=45):
        """The recipient waits after an attempt, and the reason has these words; gives the entry."""
        entry = self.relay.wait_for_state(recipient, "deferred", timeout_s)
        for word in words:
            self.assertIn(word.lower(), entry["reason"].lower())
        return entry

    def drop_queue(self):
        """Empties the queue, so that the next test begins with none."""
        for entry in self.relay.queue():
            self.relay.command("queue", "drop", entry["id"])
