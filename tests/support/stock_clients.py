"""Mail clients of Debian, as people point them at a relay. Each function submits one message and gives a Result.

`tls` is "none", "starttls" or "implicit"; with TLS, `ca_file` holds the authority that the listener's certificate is
verified with. No client is told to look away.
"""

import base64
import collections
import os
import smtplib
import ssl
import subprocess
import tempfile

Result = collections.namedtuple("Result", "accepted text")


def _run(command, stdin="", environment=None):
    answer = subprocess.run(command, input=stdin.encode(), capture_output=True, timeout=60,
                            env={**os.environ, **(environment or {})})
    text = (answer.stdout + answer.stderr).decode("utf-8", "replace")
    return Result(answer.returncode == 0, text)


def swaks(host, port, tls, ca_file, user, password, sender, recipient, message):
    options = {"none": [], "starttls": ["--tls"], "implicit": ["--tls-on-connect"]}[tls]
    if tls != "none":
        options += ["--tls-verify", "--tls-ca-path", ca_file]
    return _run(["swaks", "--server", host, "--port", str(port), *options, "--auth", "PLAIN", "--auth-user", user,
                 "--auth-password", password, "--from", sender, "--to", recipient, "--ehlo", "client.example",
                 "--data", "-", "--timeout", "30"], stdin=message)


def curl(host, port, tls, ca_file, user, password, sender, recipient, message):
    scheme = "smtps" if tls == "implicit" else "smtp"
    options = ["--ssl-reqd"] if tls == "starttls" else []
    if tls != "none":
        options += ["--cacert", ca_file]
    with tempfile.NamedTemporaryFile("w", suffix=".eml") as file:
        file.write(message)
        file.flush()
        return _run(["curl", "--silent", "--show-error", "--verbose", "--max-time", "30", *options, "--url",
                     f"{scheme}://{host}:{port}/client.example", "--user", f"{user}:{password}", "--mail-from", sender,
                     "--mail-rcpt", recipient, "--upload-file", file.name])


def python_smtplib(host, port, tls, ca_file, user, password, sender, recipient, message):
    context = ssl.create_default_context(cafile=ca_file) if tls != "none" else None
    try:
        if tls == "implicit":
            client = smtplib.SMTP_SSL(host, port, local_hostname="client.example", timeout=30, context=context)
        else:
            client = smtplib.SMTP(host, port, local_hostname="client.example", timeout=30)
        with client:
            if tls == "starttls":
                client.starttls(context=context)
            client.login(user, password)
            client.sendmail(sender, [recipient], message.encode())
            return Result(True, "")
    except (smtplib.SMTPException, OSError) as error:
        return Result(False, str(error))


def msmtp(host, port, tls, ca_file, user, password, sender, recipient, message):
    options = [f"--tls={'off' if tls == 'none' else 'on'}", f"--tls-starttls={'on' if tls == 'starttls' else 'off'}"]
    if tls != "none":
        options.append(f"--tls-trust-file={ca_file}")
    # Without TLS, msmtp leaves the choice to nobody: a mechanism has to be named.
    return _run(["msmtp", "--file=/dev/null", f"--host={host}", f"--port={port}", *options,
                 f"--auth={'plain' if tls == 'none' else 'on'}", f"--user={user}", "--passwordeval=printenv PASSWORD",
                 f"--from={sender}", "--timeout=30", "--debug", "--", recipient],
                stdin=message, environment={"PASSWORD": password})


def login_mechanism(host, port, user, password, sender, recipient, message):
    """AUTH LOGIN, which half of all client libraries choose first; no TLS."""
    try:
        with smtplib.SMTP(host, port, local_hostname="client.example", timeout=30) as client:
            client.ehlo()
            client.user, client.password = user, password
            code, text = client.auth("LOGIN", client.auth_login)
            if code != 235:
                return Result(False, text.decode())
            client.sendmail(sender, [recipient], message.encode())
            return Result(True, "")
    except (smtplib.SMTPException, OSError) as error:
        return Result(False, str(error))


ALL = {"swaks": swaks, "curl": curl, "python3 smtplib": python_smtplib, "msmtp": msmtp}


def message(sender, recipient, subject="Test", body="Hello.\r\n", **fields):
    """A small message with CRLF line ends."""
    lines = [f"From: {sender}", f"To: {recipient}", f"Subject: {subject}",
             *(f"{name.replace('_', '-')}: {value}" for name, value in fields.items())]
    return "\r\n".join(lines) + "\r\n\r\n" + body


def plain_credentials(user, password):
    return base64.b64encode(f"\0{user}\0{password}".encode()).decode()
