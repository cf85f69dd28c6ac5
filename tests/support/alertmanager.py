"""Prometheus Alertmanager as a mail client: an alert goes in by HTTP, and a message goes out."""

import json
import pathlib
import re
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

import debian_unpack

ADDRESS = "127.0.0.1:9093"
CONFIGURATION = """
route: {receiver: mail, group_wait: 0s}
receivers:
  - name: mail
    email_configs:
      - to: %(recipient)s
        from: %(sender)s
        smarthost: %(host)s:%(port)d
        auth_username: %(user)s
        auth_password: %(password)s
        require_tls: %(require_tls)s
        tls_config: {ca_file: %(ca_file)s}
        headers: {Subject: %(subject)s}
        text: %(body)s
        html: ''
"""


def program():
    """Its program, unpacked: installed, it would be a running service."""
    return debian_unpack.unpack("prometheus-alertmanager").program("usr/bin/prometheus-alertmanager")


def _request(path, body=None):
    request = urllib.request.Request(f"http://{ADDRESS}{path}", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.read().decode()


def _wait(condition, timeout_s=30):
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        try:
            if found := condition():
                return found
        except (urllib.error.URLError, ConnectionError):
            pass  # it does not listen yet
        time.sleep(0.1)
    return None


def _attempts():
    """(ended, failed) attempts to notify, once one has ended."""
    metrics = _request("/metrics")
    ended, failed = (int(re.search(rf'^alertmanager_{name}{{integration="email"}} (\d+)', metrics, re.MULTILINE).group(1))
                     for name in ("notification_latency_seconds_count", "notification_requests_failed_total"))
    return (ended, failed) if ended else None


def send(server, mail):
    """One alert, whose notification is the message; gives whether it was sent, and the log."""
    with tempfile.TemporaryDirectory() as folder:
        configuration = pathlib.Path(folder) / "alertmanager.yml"
        configuration.write_text(CONFIGURATION % {
            "host": server.host, "port": server.port, "ca_file": json.dumps(server.ca_file),
            "require_tls": "true" if server.way == "starttls" else "false",
            **{name: json.dumps(value) for name, value in (("user", mail.user), ("password", mail.password), ("sender", mail.sender),
                                                           ("recipient", mail.recipient), ("subject", mail.subject()), ("body", mail.body()))}})
        with open(pathlib.Path(folder) / "log", "w+") as log:
            process = subprocess.Popen([program(), f"--config.file={configuration}", f"--storage.path={folder}",
                                        f"--web.listen-address={ADDRESS}", "--cluster.listen-address="], stdout=log, stderr=log)
            try:
                accepted = _wait(lambda: _request("/-/ready")) is not None
                if accepted:
                    _request("/api/v2/alerts", json.dumps([{"labels": {"alertname": "test"}}]).encode())
                    ended, failed = _wait(_attempts) or (0, 0)
                    accepted = ended > failed
            finally:
                process.terminate()
                process.wait(20)
            log.seek(0)
            return accepted, log.read()
