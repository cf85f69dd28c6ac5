"""The relay as a service: sockets handed over, reload, orderly end."""

import pathlib
import smtplib
import socket
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import certificates
import scenario


class Service(scenario.Scenario):
    @classmethod
    def build_world(cls):
        identity = certificates.leaf(None, ["mx.recv.example"])
        cls.host = cls.receiving_host("mx.recv.example", "127.0.0.2", ["recv.example"], identity)
        cls.dns.add_txt("_dmarc.second.example", "v=DMARC1; p=reject")
        cls.dns.add_txt("_dmarc.third.example", "v=DMARC1; p=reject")

    def test_a_listener_takes_the_socket_of_its_name_from_the_service_manager(self):
        self.relay.stop()
        # The address tells the sockets apart: the configuration knows nothing of port 2999.
        handed_over = socket.create_server(("127.0.0.1", 2999))
        handed_over.set_inheritable(True)
        self.relay.start(inherited=[("local", handed_over)])
        handed_over.close()
        try:
            self.submit_ok("activated@recv.example", port=2999)
            self.assertFalse(self.relay.accepts(), "it must not open a socket of its own beside it")
        finally:
            self.relay.stop()
            self.relay.start()
        self.host.wait_for_message("activated@recv.example")

    def test_a_client_that_is_connected_at_a_stop_is_told_so(self):
        with smtplib.SMTP("127.0.0.1", 2525, local_hostname="client.example") as client:
            client.ehlo()
            self.relay.stop()
            try:
                reply = client.docmd("NOOP")
            except smtplib.SMTPServerDisconnected:
                reply = (421, b"")
            self.assertEqual(reply[0], 421)
        self.relay.start()

    def test_keys_that_are_made_while_it_runs_sign_after_a_reload(self):
        code, _ = self.submit("before@recv.example", sender="ann@second.example")
        self.assertEqual(code // 100, 5, "there is no key yet")
        self.relay.create_keys("second.example", "s1")
        self.relay.reload()
        scenario.processes.wait_until(lambda: self.submit("after@recv.example", sender="ann@second.example")[0] == 250, 15,
                                      "acceptance after the reload", interval_s=0.5)
        self.assertIn(b"d=second.example", self.host.wait_for_message("after@recv.example").octets)

    def test_keys_that_are_made_while_it_runs_sign_soon_without_being_told(self):
        self.assertEqual(self.submit("early@recv.example", sender="ann@third.example")[0] // 100, 5, "there is no key yet")
        self.relay.create_keys("third.example", "s1")
        scenario.processes.wait_until(lambda: self.submit("soon@recv.example", sender="ann@third.example")[0] == 250, 30,
                                      "acceptance once the keys were noticed", interval_s=0.5)
        self.assertIn(b"d=third.example", self.host.wait_for_message("soon@recv.example").octets)

    def test_the_unit_starts_the_daemon_with_options_that_it_has(self):
        unit = (scenario.relay.PROJECT / "systemd" / "waxwing.service").read_text()
        self.assertIn("ExecStartPre=/usr/sbin/waxwingd --check --config /etc/waxwing/waxwing.toml", unit)
        command = [str(scenario.relay.build_folder() / "waxwingd"), "--check", "--config", str(self.relay.config_file)]
        self.assertEqual(scenario.processes.subprocess.run(command, capture_output=True).returncode, 0)

    def test_each_log_line_is_one_json_object(self):
        self.submit_ok("log@recv.example")
        self.host.wait_for_message("log@recv.example")
        lines = [line for line in self.relay.log().splitlines() if line]
        self.assertEqual(len(lines), len(self.relay.events()), "every line must be JSON")
        self.assertTrue(self.relay.events("message_accepted"))


if __name__ == "__main__":
    scenario.main()
