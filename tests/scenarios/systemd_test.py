"""The units as a real systemd starts them, with all that they forbid."""

import pathlib
import socket
import smtplib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import dkim

import booted_system
import certificates
import relay
import scenario
from processes import wait_until

PORT = 587
INSTALL = """DESTDIR="$PWD" cmake --install "{build}" > /dev/null
install -d -m 0750 etc/waxwing
cp "{folder}/waxwing.toml" "{folder}/authority.pem" etc/waxwing/
ln -sf /usr/local/bin/waxwing usr/sbin/sendmail
install -d etc/systemd/system/waxwing-keys.service.d
cp usr/local/share/doc/waxwing/waxwing-keys-by-signer.conf etc/systemd/system/waxwing-keys.service.d/
"""


class InstalledRelay(relay.Relay):
    """The relay as its units run it, in place of a process of the test."""

    def __init__(self, system, dns, settings):
        super().__init__(system.folder.parent, dns, settings)
        self.system = system

    def command(self, *arguments, stdin=""):
        return self.system.run("waxwing", *arguments, stdin=stdin)

    def start(self):
        units = ["waxwing-signer.socket", "waxwing-local.socket", "waxwing.service"]
        if self.system.run("systemctl", "start", *units).returncode != 0:
            raise AssertionError("\n".join(self.system.journal(unit) for unit in units))

    def stop(self):
        self.system.ask("systemctl", "stop", "waxwing.service")


class Units(scenario.Scenario):
    @classmethod
    def setUpClass(cls):
        if booted_system.missing():
            raise unittest.SkipTest(booted_system.missing())
        super().setUpClass()

    @classmethod
    def build_world(cls):
        cls.host = cls.receiving_host("mx.recv.example", "127.0.0.2", ["recv.example"], certificates.leaf(None, ["mx.recv.example"]))

    @classmethod
    def make_relay(cls):
        settings = {
            "hostname": "relay.sender.example",
            "dns.resolver": f"{cls.dns.address}:{cls.dns.port}",
            "delivery.allow_non_global_addresses": True,
            "delivery.ca_file": "/etc/waxwing/authority.pem",
            "log.format": "json",
            "signer.socket": "/run/waxwing-signer/socket",
        }
        (cls.folder / "waxwing.toml").write_text(relay.configuration_text(
            settings, [{"name": "local", "address": "127.0.0.1", "port": PORT, "tls": "none"},
                       {"name": "programs", "socket": "/run/waxwing/submission"}]))
        cls.system = booted_system.BootedSystem(cls.folder, INSTALL.format(build=relay.build_folder(), folder=cls.folder))
        cls.addClassCleanup(cls.system.stop)
        cls.system.start()
        # As the package would: the group of the service reads the configuration.
        cls.system.ask("chgrp", "-R", "waxwing", "/etc/waxwing")
        return InstalledRelay(cls.system, cls.dns, {})

    def send(self, recipient):
        return self.submit(recipient, port=PORT)

    def accept_soon(self, recipient):
        wait_until(lambda: self.send(recipient)[0] == 250, 30, "acceptance", interval_s=0.2)
        return self.host.wait_for_message(recipient)

    def test_the_services_run_as_their_users_and_sign_and_deliver(self):
        message = self.accept_soon("signed@recv.example")
        octets = message.from_first_signature()
        self.assertEqual(octets.count(b"DKIM-Signature:"), 2)
        for index in range(2):
            self.assertTrue(dkim.DKIM(octets).verify(idx=index, dnsfunc=self.dns.lookup_txt))
        for service, user in (("waxwing", "waxwing"), ("waxwing-signer", "waxwing-signer")):
            state = self.system.unit(f"{service}.service", "ActiveState", "SubState", "MainPID", "NRestarts")
            self.assertEqual((state["ActiveState"], state["SubState"], state["NRestarts"]), ("active", "running", "0"),
                             self.system.journal(f"{service}.service"))
            self.assertEqual(self.system.ask("stat", "--format=%U", f"/proc/{state['MainPID']}").strip(), user)

    def test_the_relay_sees_no_keys_and_the_signer_no_queue_and_no_network(self):
        self.accept_soon("walls@recv.example")
        relay_pid = self.system.unit("waxwing.service", "MainPID")["MainPID"]
        signer_pid = self.system.unit("waxwing-signer.service", "MainPID")["MainPID"]
        self.assertTrue(self.system.ask("ls", "/var/lib/waxwing-signer/keys"))
        for pid, hidden in ((relay_pid, "/var/lib/waxwing-signer/keys"), (signer_pid, "/var/lib/waxwing/queue.db")):
            answer = self.system.run("nsenter", "--target", pid, "--mount", "ls", hidden)
            self.assertNotEqual(answer.returncode, 0, answer.stdout)
        interfaces = self.system.ask("nsenter", "--target", signer_pid, "--net", "ip", "-brief", "address").split()
        self.assertEqual((interfaces[0], "127.0.0.2" in interfaces), ("lo", False))
        self.assertNotEqual(self.system.ask("readlink", f"/proc/{signer_pid}/ns/net"), self.system.ask("readlink", f"/proc/{relay_pid}/ns/net"))

    def test_sendmail_hands_over_as_a_user_of_the_machine(self):
        self.system.ask("systemd-sysusers", "--inline", 'u caller 60110 "a caller"')
        self.relay.ask("account", "add", "caller", "--uid", "60110", "--sender", "sender.example")
        text = "From: ann@sender.example\nTo: called@recv.example\nSubject: from a program\n\nhello\n"
        answer = self.system.run("setpriv", "--reuid=60110", "--regid=60110", "--clear-groups", "/usr/sbin/sendmail", "-t", "-f",
                                 "ann@sender.example", stdin=text)
        self.assertEqual(answer.returncode, 0, answer.stderr)
        self.host.wait_for_message("called@recv.example")

    def test_the_timers_service_carries_the_keys_on_as_the_signers_user(self):
        answer = self.system.run("systemctl", "start", "waxwing-keys.service")
        log = self.system.journal("waxwing-keys.service")
        # Keys made by hand, whose records no name server of this world has for the check to see: it fails for them alone.
        self.assertNotIn("Permission denied", log)
        self.assertNotIn("cannot be read", log)
        self.assertIn("sender.example", log, answer.stderr)
        self.assertIn(self.system.unit("waxwing-keys.service", "ExecMainStatus")["ExecMainStatus"], ("0", "1"))
        self.assertEqual(self.system.unit("waxwing-keys.service", "User")["User"], "waxwing-signer")

    def test_what_dies_is_started_again(self):
        for service in ("waxwing-signer.service", "waxwing.service"):
            self.accept_soon(f"before-{service}@recv.example")
            before = self.system.unit(service, "MainPID")["MainPID"]
            self.system.ask("systemctl", "kill", "--signal=KILL", service)
            wait_until(lambda: self.system.unit(service, "MainPID")["MainPID"] not in ("0", before), 30, f"a new {service}")
            self.accept_soon(f"after-{service}@recv.example")

    def test_a_restart_refuses_no_connection(self):
        self.accept_soon("restart@recv.example")
        restart = self.system.ask("systemctl", "restart", "--no-block", "waxwing.service")
        greeted = 0
        for _ in range(100):
            with socket.create_connection(("127.0.0.1", PORT), 60) as client:
                client.settimeout(60)
                try:
                    greeted += client.recv(512).startswith(b"220 ")
                except ConnectionResetError:
                    continue  # the old process had accepted it and ended
        self.assertGreater(greeted, 90, restart)
        self.accept_soon("restarted@recv.example")

    def test_a_reload_is_done_and_changes_no_process(self):
        before = self.system.unit("waxwing.service", "MainPID")
        self.system.ask("systemctl", "reload", "waxwing.service", "waxwing-signer.service")
        self.accept_soon("reloaded@recv.example")
        self.assertEqual(self.system.unit("waxwing.service", "MainPID"), before)


if __name__ == "__main__":
    scenario.main()
