"""The relay under test: the real `waxwingd` with a configuration of its own, and the real command line beside it."""

import datetime
import json
import os
import pathlib
import signal
import socket
import subprocess

from processes import Process, accepts_connections, wait_until

PROJECT = pathlib.Path(__file__).resolve().parents[2]


def build_folder():
    """Where the programs under test are: WAXWING_BUILD, default build/dev."""
    return pathlib.Path(os.environ.get("WAXWING_BUILD", PROJECT / "build" / "dev")).resolve()


def toml(value):
    """A value as TOML writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, datetime.date)):
        return str(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(toml(item) for item in value) + "]"
    return json.dumps(str(value))


def configuration_text(settings, listeners):
    """A configuration file from {"section.key": value} (top level: "key") and a list of listeners."""
    lines = [f"{key} = {toml(value)}" for key, value in settings.items() if "." not in key]
    for listener in listeners:
        lines += ["", "[[listener]]", *(f"{key} = {toml(value)}" for key, value in listener.items())]
    for section in dict.fromkeys(key.split(".")[0] for key in settings if "." in key):
        lines += ["", f"[{section}]"]
        lines += [f"{key.split('.')[1]} = {toml(value)}" for key, value in settings.items() if key.startswith(section + ".")]
    return "\n".join(lines) + "\n"


class Relay:
    """One relay. Its folder survives stop() and kill(), so that start() continues with the same queue.

    @param dns        DnsWorld whose resolver it asks
    @param settings   more settings, {"section.key": value}
    @param listeners  [[listener]] tables; default: one without TLS on 127.0.0.1:2525 that repairs bare line ends
    """

    def __init__(self, folder, dns, settings=None, listeners=None, name="relay"):
        self.folder = pathlib.Path(folder) / name
        self.folder.mkdir()
        self.name = name
        self.dns = dns
        self.listeners = listeners or [{"name": "local", "address": "127.0.0.1", "port": 2525, "tls": "none",
                                        "bare_line_ends": "fix"}]
        self.settings = {
            "hostname": "relay.sender.example",
            "state_directory": self.folder / "state",
            "run_directory": self.folder / "run",
            "workers": 2,
            "dns.resolver": f"{dns.address}:{dns.port}",
            "delivery.allow_non_global_addresses": True,
            "queue.retry_delays": ["1s", "2s", "3600s"],
            "log.format": "json",
            **(settings or {}),
        }
        for key in ("state_directory", "run_directory"):
            pathlib.Path(self.settings[key]).mkdir(mode=0o700, exist_ok=True)
        self.user = None  # a number: who runs the daemon, instead of who runs the test
        self.config_file = self.folder / "waxwing.toml"
        self.write_configuration()
        self.process = None

    def write_configuration(self):
        self.config_file.write_text(configuration_text(self.settings, self.listeners))

    # The daemon.

    def start(self, timeout_s=60, inherited=()):
        """Starts the daemon and waits for its READY=1. StartError with the log when it does not come.

        @param inherited  (listener name, listening socket) as a service manager would hand over
        """
        notices = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        path = self.folder / "notify"
        path.unlink(missing_ok=True)
        notices.bind(str(path))
        notices.setblocking(False)
        seen = []

        def ready():
            try:
                seen.append(notices.recv(4096))
            except BlockingIOError:
                pass
            return any(b"READY=1" in notice.split(b"\n") for notice in seen)

        command = [str(build_folder() / "waxwingd"), "--config", str(self.config_file)]
        if self.user is not None:
            os.chmod(path, 0o777)
            command = ["setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--clear-groups", *command]
        environment = self.environment(NOTIFY_SOCKET=str(path))
        if inherited:
            # Descriptors begin at 3, and LISTEN_PID is the daemon's own, which only a shell before it knows.
            moves = " ".join(f"{3 + index}<&{sock.fileno()}" for index, (_, sock) in enumerate(inherited))
            command = ["sh", "-c", f'LISTEN_PID=$$ exec "$@" {moves}', "sh", *command]
            environment.update(LISTEN_FDS=str(len(inherited)), LISTEN_FDNAMES=":".join(name for name, _ in inherited))
        self.process = Process("waxwingd", command, self.folder, environment, [sock.fileno() for _, sock in inherited])
        try:
            self.process.wait_ready(ready, timeout_s)
        finally:
            notices.close()
        return self

    def run_to_end(self, timeout_s=60):
        """Runs a daemon that is expected to refuse to start; gives its CompletedProcess."""
        command = [str(build_folder() / "waxwingd"), "--config", str(self.config_file)]
        return subprocess.run(command, env=self.environment(), capture_output=True, text=True, timeout=timeout_s)

    def stop(self):
        """SIGTERM; the exit status must be 0 and no sanitizer may have complained."""
        if self.process is None:
            return
        process, self.process = self.process, None
        status = process.stop()
        complaints = sanitizer_complaints(process.log())
        if complaints:
            raise AssertionError(f"waxwingd: {complaints}")
        if status != 0:
            raise AssertionError(f"waxwingd ended with {status} (None: it had to be killed):\n{process.log()[-3000:]}")

    def kill(self):
        """SIGKILL, as a crash would end it."""
        self.process.kill()
        complaints = sanitizer_complaints(self.process.log())
        self.process = None
        if complaints:
            raise AssertionError(f"waxwingd: {complaints}")

    def reload(self):
        """SIGHUP: keys are loaded anew."""
        os.kill(self.process.pid, signal.SIGHUP)

    def environment(self, **more):
        return {**os.environ, "ASAN_OPTIONS": "detect_leaks=1:exitcode=99", "UBSAN_OPTIONS": "print_stacktrace=1:exitcode=99",
                "TSAN_OPTIONS": f"suppressions={PROJECT}/tests/support/tsan.suppressions:exitcode=99", **more}

    def log(self):
        """Everything that the daemon wrote, over all its starts."""
        path = self.folder / "waxwingd.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def events(self, name=None):
        """Log lines as objects; those of one event when it is named."""
        complete = self.log().rpartition("\n")[0]  # the last line may still be on its way
        lines = [json.loads(line) for line in complete.splitlines() if line.startswith("{")]
        return [line for line in lines if name is None or line.get("event") == name]

    # The command line.

    def command(self, *arguments, stdin=""):
        """Runs `waxwing`; gives its CompletedProcess."""
        command = [str(build_folder() / "waxwing"), "--config", str(self.config_file), *map(str, arguments)]
        return subprocess.run(command, env=self.environment(), input=stdin, capture_output=True, text=True, timeout=120)

    def ask(self, *arguments, stdin=""):
        """Runs `waxwing`, which must succeed; gives what it printed."""
        answer = self.command(*arguments, stdin=stdin)
        if answer.returncode != 0:
            raise AssertionError(f"waxwing {' '.join(map(str, arguments))} ended with {answer.returncode}: "
                                 f"{answer.stderr.strip() or answer.stdout.strip()}")
        return answer.stdout

    def ask_json(self, *arguments, stdin=""):
        """Runs `waxwing … --json`; gives the objects it printed, one a line."""
        return [json.loads(line) for line in self.ask(*arguments, "--json", stdin=stdin).splitlines() if line.strip()]

    def add_account(self, name, password, senders=()):
        """Adds an account that may send as `senders`; none given: as anybody."""
        self.ask("account", "add", name, *(item for sender in senders for item in ("--sender", sender)), stdin=password + "\n")

    def create_keys(self, domain, selector, publish=True, algorithm="pair"):
        """Makes keys of a selector, both by default, and puts their records into the DNS world. Gives {name: text} of the
        records."""
        self.ask("keys", "create", domain, selector, "--algorithm", algorithm)
        records = self.key_records(domain)
        if publish:
            for name, text in records.items():
                self.dns.replace_txt(name, text)
            self.dns.apply()
        return records

    def key_records(self, domain):
        """Records that `waxwing keys dns` asks for: {owner name without the final dot: text}."""
        return {entry["name"].rstrip("."): entry["value"] for entry in self.ask_json("keys", "dns", domain)}

    def queue(self):
        """What waits: the objects of `waxwing queue list --json`."""
        return self.ask_json("queue", "list")

    def queue_entry(self, recipient):
        """The entry of one recipient, or None."""
        return next((entry for entry in self.queue() if entry["recipient"] == recipient), None)

    def wait_for_state(self, recipient, state, timeout_s=30):
        """Waits until a recipient has that state in the queue after at least one attempt; gives its entry."""
        def reached():
            entry = self.queue_entry(recipient)
            return entry if entry and entry["state"] == state and entry["attempts"] > 0 else None

        try:
            return wait_until(reached, timeout_s, f"{recipient} {state}", interval_s=0.2)
        except AssertionError as error:
            raise AssertionError(f"{error}; queue: {self.queue()}; log:\n{self.log()[-3000:]}") from None

    def wait_until_delivered(self, timeout_s=30):
        """Waits until nothing waits any more."""
        try:
            wait_until(lambda: not self.queue(), timeout_s, "empty queue", interval_s=0.2)
        except AssertionError as error:
            raise AssertionError(f"{error}; queue: {self.queue()}; log:\n{self.log()[-3000:]}") from None

    def accepts(self, port=None):
        listener = self.listeners[0]
        return accepts_connections(listener["address"], port or listener["port"])


def sanitizer_complaints(log):
    """The first report of a sanitizer in a log, or an empty string."""
    for mark in ("ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "runtime error:", "WARNING: ThreadSanitizer"):
        start = log.find(mark)
        if start >= 0:
            return log[start:start + 3000]
    return ""
