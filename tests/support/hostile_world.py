"""A world in which each recipient domain has one receiver with one misbehaviour, and a relay that delivers to all at once.

The resolver's place is taken by a DNS server of the test, whose every answer counts as proven; receivers have TLSA records
for one authority.
"""

import smtplib
import unittest

import certificates
import hostile_dns
import hostile_receiver
import processes
import relay
import scenario
import stock_clients


class HostileWorld(unittest.TestCase):
    """Base of tests: build_world(), then add receivers, then start_relay()."""

    @classmethod
    def build_world(cls, name):
        cls.folder = processes.scratch_folder(name)
        cls.addClassCleanup(processes.remove_folder, cls.folder)
        cls.authority = certificates.authority()
        cls.dns = hostile_dns.HostileDns()
        cls.addClassCleanup(cls.dns.close)
        cls.dns.replace_txt("_dmarc.sender.example", "v=DMARC1; p=reject")
        cls.receivers = {}

    @classmethod
    def receiver(cls, name, misbehaviour, identity=None):
        """A host of its own for the domain NAME.example; with a certificate of the authority, unless another is given."""
        address = f"127.0.1.{len(cls.receivers) + 1}"
        identity = identity or certificates.leaf(cls.authority, [f"mx.{name}.example"])
        cls.receivers[name] = hostile_receiver.HostileReceiver(cls.folder, address, identity, misbehaviour)
        cls.addClassCleanup(cls.receivers[name].close)
        cls.dns.add(f"{name}.example", "MX", f"10 mx.{name}.example.")
        cls.dns.add(f"mx.{name}.example", "A", address)
        cls.dns.add(f"_25._tcp.mx.{name}.example", "TLSA", cls.authority.tlsa(2, 0, 1))
        return cls.receivers[name]

    @classmethod
    def start_relay(cls, reply_timeout_s, listeners=None, settings=None):
        ca_file = cls.folder / "authority.pem"
        ca_file.write_bytes(cls.authority.certificate_pem())
        cls.relay = relay.Relay(cls.folder, cls.dns, {
            "delivery.ca_file": ca_file, "delivery.reply_timeout": f"{reply_timeout_s}s", "queue.retry_delays": ["3600s"],
            **(settings or {})}, listeners)
        cls.relay.create_keys("sender.example", "s1")
        cls.relay.add_account(scenario.USER, scenario.PASSWORD)
        cls.relay.start()
        cls.addClassCleanup(cls.relay.stop)  # fails when a sanitizer complained or the relay had died

    @classmethod
    def submit_each(cls, messages):
        """Submits messages, each a list of recipients and a text or None, over one connection."""
        with smtplib.SMTP("127.0.0.1", 2525, local_hostname="client.example", timeout=60) as client:
            client.login(scenario.USER, scenario.PASSWORD)
            for recipients, text in messages:
                text = text or stock_clients.message(scenario.SENDER, recipients[0], subject=recipients[0].split("@")[1])
                client.sendmail(scenario.SENDER, recipients, text)
