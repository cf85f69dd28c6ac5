"""The demonstration of etc/quickstart, which installs and builds what this needs."""

import pathlib
import re
import signal
import socket
import subprocess
import sys
import textwrap
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests" / "support"))

import dkim

import certificates
import dns_world
import postfix_world
import processes
import relay

SENDER, RECIPIENT = "ann@sender.example", "bob@recv.example"
USER, PASSWORD = "shop", "a password for the demonstration"
MX = "mx.recv.example"
ADDRESS = "127.0.0.1"


class Unexpected(Exception):
    """A step was not what it should be."""


def step(title):
    print(f"\n==> {title}", flush=True)


def show(text):
    """Prints something that a program said, indented."""
    for line in str(text).strip().splitlines():
        print(textwrap.fill(line, 118, initial_indent="    ", subsequent_indent="      ", break_long_words=False), flush=True)


def expect(condition, what):
    if not condition:
        raise Unexpected(what)
    print(f"ok: {what}", flush=True)


def free_port():
    """An unprivileged port that is free for TCP and UDP at this moment."""
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as stream, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagram:
            stream.bind((ADDRESS, 0))
            port = stream.getsockname()[1]
            try:
                datagram.bind((ADDRESS, port))
                return port
            except OSError:
                continue


class Demonstration:
    """The world of the demonstration; close() ends all of it, however far it got."""

    def __init__(self):
        self.folder = processes.scratch_folder("quickstart")
        self.endings = [lambda: processes.remove_folder(self.folder)]
        self.smtp_port, self.submission_port = free_port(), free_port()
        self.tlsa_name = f"_{self.smtp_port}._tcp.{MX}"

    def close(self):
        while self.endings:
            ending = self.endings.pop()
            try:
                ending()
            except Exception as error:
                print(f"while cleaning up: {error}", file=sys.stderr)

    def start_dns(self):
        step("A DNS of our own: root, example., all signed; unbound serves and validates it")
        self.dns = dns_world.DnsWorld(self.folder, ADDRESS, free_port())
        self.endings.append(self.dns.close)
        self.identity = certificates.leaf(None, [MX])
        self.dns.add("recv.example", "MX", f"10 {MX}.")
        self.dns.add(MX, "A", ADDRESS)
        self.dns.add(self.tlsa_name, "TLSA", self.identity.tlsa())
        self.dns.add_txt("_dmarc.sender.example", "v=DMARC1; p=reject")
        self.dns.apply()
        answer = self.dns.ask(self.tlsa_name, "TLSA")
        show(f"{self.tlsa_name} TLSA {self.identity.tlsa()}")
        expect(answer.startswith("NOERROR AD"), f"the resolver on {ADDRESS}:{self.dns.port} has validated this record")

    def start_receiving_host(self):
        step(f"A receiving host: Debian's Postfix as {MX}, port {self.smtp_port}, with a self-signed certificate")
        self.host = postfix_world.Postfix(self.folder, MX, ADDRESS, self.smtp_port, ["recv.example"], self.identity)
        self.endings.append(self.host.stop)
        self.host.start()
        print("ok: it listens and offers STARTTLS")

    def start_relay(self):
        step("Waxwing: an account, an RSA and an Ed25519 key for sender.example, their records published")
        listener = {"name": "local", "address": ADDRESS, "port": self.submission_port, "tls": "none"}
        self.relay = relay.Relay(self.folder, self.dns, {
            "hostname": "relay.sender.example", "delivery.smtp_port": self.smtp_port,
            "queue.retry_delays": ["2s", "1h"]}, [listener])
        self.relay.add_account(USER, PASSWORD, ["sender.example"])
        for name, text in self.relay.create_keys("sender.example", "demo").items():
            show(f"{name} TXT {text[:72]}...")
        self.endings.append(self.stop_relay)
        self.relay.start()
        print(f"ok: waxwingd listens on {ADDRESS}:{self.submission_port}")

    def stop_relay(self):
        running, self.relay = self.relay, None
        if running and running.process:
            running.stop()

    def submit(self, subject):
        """Submits one message with swaks and gives the queue id."""
        command = ["swaks", "--server", ADDRESS, "--port", str(self.submission_port), "--auth", "PLAIN", "--auth-user", USER,
                   "--auth-password", PASSWORD, "--from", SENDER, "--to", RECIPIENT, "--header", f"Subject: {subject}",
                   "--body", "Wax for the seal, wing for the carrying.", "--ehlo", "app.example", "--timeout", "60"]
        answer = subprocess.run(command, capture_output=True, text=True, timeout=120)
        conversation = [line for line in answer.stdout.splitlines() if re.match(r"<.. +(235|250 2\.|5|4)", line)]
        show("\n".join(conversation))
        queued = re.search(r"250 2\.0\.0 Ok: queued as (\w+)", answer.stdout)
        if not queued:
            raise Unexpected(f"the message was not accepted:\n{answer.stdout}{answer.stderr}")
        expect(answer.returncode == 0, f"accepted, on disk, queue id {queued.group(1)}")
        return queued.group(1)

    def deliver_over_dane(self):
        step("One message, submitted with AUTH by swaks")
        self.submit("One message")
        step("What arrived")
        message = self.host.wait_for_message(RECIPIENT)
        parsed = message.parsed()
        show("Received: " + " ".join(parsed["Received"].split()))
        expect("TLSv1.3" in parsed["Received"], "it came over TLS")
        report = self.relay.ask("explain", RECIPIENT)
        show(report)
        expect("TLSA" in report and "dane" in report.lower(), "the certificate had to match the TLSA record")
        self.verify_signatures(message)

    def verify_signatures(self, message):
        step("Both signatures, verified by dkimpy against the records in this DNS")
        wire = message.from_first_signature()
        signatures = message.parsed().get_all("DKIM-Signature") or []
        algorithms = sorted(re.search(r"a=([a-z0-9-]+)", signature).group(1) for signature in signatures)
        expect(algorithms == ["ed25519-sha256", "rsa-sha256"], "one signature by each key")
        for index, signature in enumerate(signatures):
            algorithm = re.search(r"a=([a-z0-9-]+)", signature).group(1)
            expect(dkim.DKIM(wire).verify(idx=index, dnsfunc=self.dns.lookup_txt), f"{algorithm} is good")

    def refuse_a_wrong_tlsa_record(self):
        step("The same with a TLSA record that does not match: as if somebody else answered in the place of the host")
        self.relay.wait_until_delivered()
        self.dns.replace(self.tlsa_name, "TLSA", certificates.wrong_tlsa())
        self.dns.apply()
        show("(waiting 7 seconds: Waxwing keeps an answer of DNS for 5 seconds at least, and a connection for 2)")
        time.sleep(7)
        self.submit("Another message")
        entry = self.relay.wait_for_state(RECIPIENT, "deferred", 60)
        show(f"{entry['id']} {entry['state']}: {entry['reason']}")
        expect("TLSA" in entry["reason"], "it waits in the queue, and the reason names the TLSA record")
        expect(len(self.host.messages(RECIPIENT)) == 1, "nothing but the first message has reached the host")


CLOSING = """
==> All of it was as it should be. For your own domain:

    cmake --install build/release --prefix /usr/local     the programs and the units
    systemd-sysusers && systemd-tmpfiles --create          the account and the folders of the service
    apt-get install unbound                                a validating resolver on this machine
    $EDITOR /etc/waxwing/waxwing.toml                      etc/waxwing.toml has every option with its default
    waxwing keys create example.org s1                     prints the records to publish
    waxwing account add app --sender example.org           who may submit, and in whose name
    waxwingd --check && systemctl enable --now waxwing

README.md says the same with the why.
"""


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    demonstration = Demonstration()
    try:
        demonstration.start_dns()
        demonstration.start_receiving_host()
        demonstration.start_relay()
        demonstration.deliver_over_dane()
        demonstration.refuse_a_wrong_tlsa_record()
        demonstration.stop_relay()
    except (Unexpected, AssertionError, processes.StartError, OSError, RuntimeError) as error:
        print(f"\nquickstart: not as it should be: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        demonstration.close()
    print(CLOSING)
    return 0


if __name__ == "__main__":
    sys.exit(main())
