"""Mail clients of Debian and npm, as people point them at a relay. `SMTP` has them by name.

A client submits one message to a Server. Those made with a library are programs of a few lines in clients, as its users
write them. No client is told to look away from a certificate.
"""

import base64
import dataclasses
import importlib.util
import os
import pathlib
import re
import shutil
import smtplib
import subprocess
import tempfile
import typing
import unittest
import urllib.parse

import alertmanager
import client_builds

SCRIPTS = pathlib.Path(__file__).resolve().parent / "clients"


class Result(typing.NamedTuple):
    accepted: bool
    text: str  # what the client printed


class Server(typing.NamedTuple):
    """Where and how to submit.

    `way` is "none", "starttls", "implicit" (SMTP with that TLS), "lmtp", "socket" (SMTP on a unix socket), "sendmail" (the
    program), "fields" or "raw" (by HTTP).
    """

    way: str
    host: str  # of "socket": its path; by HTTP: the URL
    port: int = 0
    ca_file: str = ""  # the authority that the certificate of the listener is verified with


class Mail(typing.NamedTuple):
    """One message, with CRLF line ends, and who submits it."""

    user: str
    password: str  # by HTTP: the token
    sender: str
    recipient: str
    text: str

    # For clients that make the message themselves.

    def subject(self):
        return re.search(r"^Subject: (.*)$", self.text.partition("\r\n\r\n")[0], re.MULTILINE).group(1).strip()

    def body(self):
        return self.text.partition("\r\n\r\n")[2].replace("\r\n", "\n")


def run(command, stdin="", environment=None):
    """Runs a client to its end."""
    answer = subprocess.run(command, input=stdin.encode(), capture_output=True, timeout=60,
                            env={**os.environ, "LANG": "C.UTF-8", **(environment or {})})
    return Result(answer.returncode == 0, (answer.stdout + answer.stderr).decode("utf-8", "replace"))


def run_script(command, server, mail, **more):
    """Runs a program of clients; what it needs is in its environment."""
    return run(command, environment={
        "HOST": server.host, "PORT": str(server.port), "WAY": server.way, "CA": server.ca_file, "SMTP_USER": mail.user,
        "PASSWORD": mail.password, "SENDER": mail.sender, "RECIPIENT": mail.recipient, "SUBJECT": mail.subject(),
        "BODY": mail.body(), "MESSAGE": mail.text, "SSL_CERT_FILE": server.ca_file, **more})


# Command lines.

def swaks(server, mail):
    options = {"none": [], "starttls": ["--tls"], "implicit": ["--tls-on-connect"], "lmtp": ["--protocol", "LMTP"], "socket": []}
    where = ["--socket", server.host] if server.way == "socket" else [
        "--server", server.host, "--port", str(server.port), "--auth", "--auth-user", mail.user,
        "--auth-password", mail.password]
    verify = ["--tls-verify", "--tls-ca-path", server.ca_file] if server.way in ("starttls", "implicit") else []
    return run(["swaks", *where, *options[server.way], *verify, "--from", mail.sender, "--to", mail.recipient,
                "--data", "-", "--timeout", "30"], stdin=mail.text)


def curl(server, mail):
    scheme = "smtps" if server.way == "implicit" else "smtp"
    options = ["--ssl-reqd"] if server.way == "starttls" else []
    if server.way in ("starttls", "implicit"):
        options += ["--cacert", server.ca_file]
    with tempfile.NamedTemporaryFile("w", suffix=".eml") as file:
        file.write(mail.text)
        file.flush()
        return run(["curl", "--silent", "--show-error", "--verbose", "--max-time", "30", *options, "--url",
                    f"{scheme}://{server.host}:{server.port}", "--user", f"{mail.user}:{mail.password}",
                    "--mail-from", mail.sender, "--mail-rcpt", mail.recipient, "--upload-file", file.name])


def msmtp(server, mail):
    tls = server.way in ("starttls", "implicit")
    options = [f"--tls={'on' if tls else 'off'}", f"--tls-starttls={'on' if server.way == 'starttls' else 'off'}"]
    if tls:
        options.append(f"--tls-trust-file={server.ca_file}")
    if server.way == "lmtp":
        options.append("--protocol=lmtp")
    if server.way == "socket":
        options += [f"--socket={server.host}", "--host=localhost", "--auth=off"]
    else:
        # Without TLS, msmtp leaves the choice to nobody: a mechanism has to be named.
        options += [f"--host={server.host}", f"--port={server.port}", f"--auth={'on' if tls else 'plain'}", f"--user={mail.user}",
                    "--passwordeval=printenv PASSWORD"]
    return run(["msmtp", "--file=/dev/null", *options, f"--from={mail.sender}", "--timeout=30", "--debug", "--", mail.recipient],
               stdin=mail.text, environment={"PASSWORD": mail.password})


def s_nail(server, mail):
    scheme = "smtps" if server.way == "implicit" else "smtp"
    options = ["v15-compat", f"mta={scheme}://{mail.user}:{urllib.parse.quote(mail.password)}@{server.host}:{server.port}",
               f"from={mail.sender}", "sendwait"]
    if server.way != "none":
        options += ["tls-verify=strict", f"tls-ca-file={server.ca_file}"]
    if server.way == "starttls":
        options.append("smtp-use-starttls")
    settings = [part for option in options for part in ("-S", option)]
    return run(["s-nail", "-:/", *settings, "-s", mail.subject(), mail.recipient], stdin=mail.body())


def mutt(server, mail):
    scheme = "smtps" if server.way == "implicit" else "smtp"
    settings = [f"set smtp_url={scheme}://{mail.user}@{server.host}:{server.port}/", f'set smtp_pass="{mail.password}"',
                f"set ssl_starttls={'yes' if server.way == 'starttls' else 'no'}",
                f"set ssl_force_tls={'no' if server.way == 'none' else 'yes'}",
                f"set ssl_ca_certificates_file={server.ca_file}", "set copy=no", f"set from={mail.sender}"]
    with tempfile.TemporaryDirectory() as home:
        return run(["mutt", "-F", "/dev/null", *(part for setting in settings for part in ("-e", setting)), "-s", mail.subject(),
                    "--", mail.recipient], stdin=mail.body(), environment={"HOME": home})


def sendemail(server, mail):
    return run(["sendemail", "-f", mail.sender, "-t", mail.recipient, "-u", mail.subject(), "-m", mail.body(), "-s",
                f"{server.host}:{server.port}", "-xu", mail.user, "-xp", mail.password, "-o", "tls=no", "-o", "message-charset=utf-8"])


def git_send_email(server, mail):
    encryption = {"none": "none", "starttls": "tls", "implicit": "ssl"}[server.way]
    with tempfile.TemporaryDirectory() as home:
        patch = os.path.join(home, "0001.patch")
        with open(patch, "w", newline="") as file:
            file.write(mail.text.replace("\r\n", "\n"))
        return run(["git", "send-email", f"--smtp-server={server.host}", f"--smtp-server-port={server.port}",
                    f"--smtp-encryption={encryption}", f"--smtp-user={mail.user}", f"--smtp-pass={mail.password}",
                    f"--smtp-ssl-cert-path={server.ca_file}", f"--from={mail.sender}",
                    f"--to={mail.recipient}", "--confirm=never", "--suppress-cc=all", "--no-validate", "--quiet", patch],
                   environment={"HOME": home, **git_identity(mail.sender, home)})


def git_identity(address, home):
    """Environment in which git knows who commits, and nothing of the machine's configuration."""
    return {"GIT_CONFIG_NOSYSTEM": "1", "GIT_DIR": os.path.join(home, "none"), "GIT_COMMITTER_NAME": "Ann",
            "GIT_COMMITTER_EMAIL": address, "GIT_AUTHOR_NAME": "Ann", "GIT_AUTHOR_EMAIL": address}


# Libraries.

def script(*command):
    """A client that is a program of clients/smtp: its interpreter with options, and its name."""
    return lambda server, mail: run_script([*command[:-1], str(SCRIPTS / "smtp" / command[-1])], server, mail)


def php_script(name):
    """PHP takes the authority from its configuration alone."""
    return lambda server, mail: run_script(["php", "-d", f"openssl.cafile={server.ca_file}", str(SCRIPTS / "smtp" / name)], server, mail)


def emailjs(server, mail):
    return run_script(["node", client_builds.npm_program(SCRIPTS / "smtp" / "emailjs.mjs")], server, mail)


def go_net_smtp(server, mail):
    return run_script([client_builds.go_program(SCRIPTS / "smtp" / "net_smtp.go")], server, mail)


def java_mail(server, mail):
    return run_script(client_builds.java_command(SCRIPTS / "smtp" / "JavaMail.java", server.ca_file), server, mail)


def prometheus_alertmanager(server, mail):
    return Result(*alertmanager.send(server, mail))


def login_mechanism(server, mail):
    """AUTH LOGIN, which half of all client libraries choose first; no TLS."""
    try:
        with smtplib.SMTP(server.host, server.port, local_hostname="client.example", timeout=30) as client:
            client.ehlo()
            client.user, client.password = mail.user, mail.password
            code, text = client.auth("LOGIN", client.auth_login)
            if code != 235:
                return Result(False, text.decode())
            client.sendmail(mail.sender, [mail.recipient], mail.text.encode())
            return Result(True, "")
    except (smtplib.SMTPException, OSError) as error:
        return Result(False, str(error))


# What each of them can speak, and what it needs.

TCP = ("none", "starttls", "implicit")


@dataclasses.dataclass(frozen=True)
class Client:
    """One client.

    `needs` names programs, absolute paths and modules (`python3:NAME`, `perl:NAME`); `provide` gets what no list of packages
    installs.
    """

    submit: typing.Callable[[Server, Mail], Result]
    needs: tuple = ()
    speaks: tuple = TCP
    provide: typing.Callable[[], object] = lambda: None
    ends_lines_with_crlf: bool = True
    doubles_dots: bool = True  # at the start of a line, as RFC 5321 §4.5.2 wants it

    def require(self):
        """Provides what the client needs; SkipTest says what of it cannot be had."""
        for need in self.needs:
            if not _is_there(need):
                raise unittest.SkipTest(f"{need} is not installed")
        self.provide()


def _is_there(need):
    language, _, module = need.partition(":")
    if language == "python3" and module:
        return importlib.util.find_spec(module) is not None
    if language == "perl" and module:
        return subprocess.run(["perl", f"-M{module}", "-e", "1"], capture_output=True).returncode == 0
    return shutil.which(need) is not None or os.path.exists(need)


SMTP = {
    "swaks": Client(swaks, ("swaks", "perl:Net::SSLeay"), (*TCP, "lmtp", "socket")),
    "curl": Client(curl, ("curl",)),
    "python3 smtplib": Client(script("/usr/bin/python3", "smtplib_mail.py"), (), (*TCP, "lmtp")),
    "aiosmtplib": Client(script("/usr/bin/python3", "aiosmtplib_mail.py"), ("python3:aiosmtplib",), (*TCP, "socket")),
    "Django": Client(script("/usr/bin/python3", "django_mail.py"), ("python3:django",)),
    "msmtp": Client(msmtp, ("msmtp",), (*TCP, "lmtp", "socket")),
    "s-nail": Client(s_nail, ("s-nail",)),
    "mutt": Client(mutt, ("mutt",)),
    "git send-email": Client(git_send_email, ("git", "/usr/lib/git-core/git-send-email", "perl:Authen::SASL",
                                                "perl:IO::Socket::SSL")),
    # It names versions of TLS that Debian's library does not know.
    "sendemail": Client(sendemail, ("sendemail",), ("none",), doubles_dots=False),
    "PHPMailer": Client(php_script("phpmailer.php"), ("php", "/usr/share/php/libphp-phpmailer")),
    "Symfony Mailer": Client(php_script("symfony_mailer.php"), ("php", "/usr/share/php/Symfony/Component/Mailer")),
    "ruby mail": Client(script("ruby", "ruby_mail.rb"), ("ruby", "/usr/lib/ruby/vendor_ruby/mail.rb")),
    "Email::Sender": Client(script("perl", "email_sender.pl"), ("perl:Email::Sender", "perl:Authen::SASL", "perl:IO::Socket::SSL")),
    "Nodemailer": Client(script("node", "nodemailer.js"), ("node", "/usr/share/nodejs/nodemailer"), (*TCP, "lmtp")),
    "emailjs": Client(emailjs, ("node",), TCP, client_builds.emailjs, ends_lines_with_crlf=False),
    "Go net/smtp": Client(go_net_smtp, (), ("none", "starttls"), client_builds.go),
    "JavaMail": Client(java_mail, ("javac", "/usr/share/java/javax.mail.jar")),
    "Alertmanager": Client(prometheus_alertmanager, (), TCP, alertmanager.program),
}


def message(sender, recipient, subject="Test", body="Hello.\r\n", **fields):
    """A small message with CRLF line ends."""
    lines = [f"From: {sender}", f"To: {recipient}", f"Subject: {subject}",
             *(f"{name.replace('_', '-')}: {value}" for name, value in fields.items())]
    return "\r\n".join(lines) + "\r\n\r\n" + body


def plain_credentials(user, password):
    return base64.b64encode(f"\0{user}\0{password}".encode()).decode()
