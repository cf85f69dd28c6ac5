"""Mail clients of Debian, as people point them at a relay. Each function submits one message and gives a Result.

`tls` is "none", "starttls" or "implicit"; with TLS, `ca_file` holds the authority that the listener's certificate is
verified with. No client is told to look away.
"""

import base64
import collections
import os
import re
import smtplib
import ssl
import subprocess
import tempfile
import urllib.parse

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


def _parts(text):
    """Subject and body of a message, for clients that make the message themselves."""
    head, _, body = text.partition("\r\n\r\n")
    return re.search(r"^Subject: (.*)$", head, re.MULTILINE).group(1).strip(), body.replace("\r\n", "\n")


def s_nail(host, port, tls, ca_file, user, password, sender, recipient, message):
    subject, body = _parts(message)
    scheme = "smtps" if tls == "implicit" else "smtp"
    options = ["v15-compat", f"mta={scheme}://{user}:{urllib.parse.quote(password)}@{host}:{port}", "smtp-auth=plain",
               f"from={sender}", "sendwait", "hostname=client.example"]
    if tls != "none":
        options += ["tls-verify=strict", f"tls-ca-file={ca_file}"]
    if tls == "starttls":
        options.append("smtp-use-starttls")
    settings = [part for option in options for part in ("-S", option)]
    return _run(["s-nail", "-:/", *settings, "-s", subject, recipient], stdin=body)


def mutt(host, port, tls, ca_file, user, password, sender, recipient, message):
    subject, body = _parts(message)
    scheme = "smtps" if tls == "implicit" else "smtp"
    settings = [f"set smtp_url={scheme}://{user}@{host}:{port}/", f'set smtp_pass="{password}"', "set smtp_authenticators=plain",
                f"set ssl_starttls={'yes' if tls == 'starttls' else 'no'}", f"set ssl_force_tls={'no' if tls == 'none' else 'yes'}",
                f"set ssl_ca_certificates_file={ca_file}", "set copy=no", f"set from={sender}"]
    with tempfile.TemporaryDirectory() as home:
        return _run(["mutt", "-F", "/dev/null", *(part for setting in settings for part in ("-e", setting)), "-s", subject, "--",
                     recipient], stdin=body, environment={"HOME": home})


def _script(command, text, host, port, tls, ca_file, user, password, sender, recipient, message):
    """Runs a few lines of a language whose mail library is meant; what they need is in the environment."""
    subject, body = _parts(message)
    environment = {"HOST": host, "PORT": str(port), "TLS": tls, "CA": ca_file, "SMTP_USER": user, "PASSWORD": password,
                   "SENDER": sender, "RECIPIENT": recipient, "SUBJECT": subject, "BODY": body, "SSL_CERT_FILE": ca_file}
    return _run([*command, text], environment=environment)


PHPMAILER = r"""
require '/usr/share/php/libphp-phpmailer/autoload.php';
$mail = new PHPMailer\PHPMailer\PHPMailer(true);
$mail->isSMTP();
$mail->Host = getenv('HOST');
$mail->Port = (int)getenv('PORT');
$mail->SMTPAuth = true;
$mail->Username = getenv('SMTP_USER');
$mail->Password = getenv('PASSWORD');
$mail->SMTPSecure = ['none' => '', 'starttls' => 'tls', 'implicit' => 'ssl'][getenv('TLS')];
$mail->setFrom(getenv('SENDER'));
$mail->addAddress(getenv('RECIPIENT'));
$mail->Subject = getenv('SUBJECT');
$mail->Body = getenv('BODY');
$mail->send();
"""

SYMFONY = r"""
require '/usr/share/php/Symfony/Component/Mailer/autoload.php';
$scheme = getenv('TLS') === 'implicit' ? 'smtps' : 'smtp';
$dsn = sprintf('%s://%s:%s@%s:%s', $scheme, getenv('SMTP_USER'), rawurlencode(getenv('PASSWORD')), getenv('HOST'), getenv('PORT'));
$mailer = new Symfony\Component\Mailer\Mailer(Symfony\Component\Mailer\Transport::fromDsn($dsn));
$mailer->send((new Symfony\Component\Mime\Email())->from(getenv('SENDER'))->to(getenv('RECIPIENT'))
    ->subject(getenv('SUBJECT'))->text(getenv('BODY')));
"""

RUBY_MAIL = r"""
require 'mail'
tls = { 'none' => { enable_starttls_auto: false }, 'starttls' => { enable_starttls: :always }, 'implicit' => { ssl: true } }
settings = { address: ENV['HOST'], port: ENV['PORT'].to_i, user_name: ENV['SMTP_USER'], password: ENV['PASSWORD'],
             authentication: :plain, ca_file: ENV['CA'], domain: 'client.example' }
Mail.defaults { delivery_method :smtp, settings.merge(tls[ENV['TLS']]) }
Mail.deliver { from ENV['SENDER']; to ENV['RECIPIENT']; subject ENV['SUBJECT']; body ENV['BODY'] }
"""

EMAIL_SENDER = r"""
use Email::Sender::Simple qw(sendmail);
use Email::Sender::Transport::SMTP;
use Email::Simple;
my %tls = (none => 0, starttls => 'starttls', implicit => 'ssl');
my $transport = Email::Sender::Transport::SMTP->new({
    hosts => [$ENV{HOST}], port => $ENV{PORT}, ssl => $tls{$ENV{TLS}}, sasl_username => $ENV{SMTP_USER},
    sasl_password => $ENV{PASSWORD}, helo => 'client.example',
    ssl_options => { SSL_ca_file => $ENV{CA}, SSL_verifycn_name => $ENV{HOST} } });
my $email = Email::Simple->create(
    header => [From => $ENV{SENDER}, To => $ENV{RECIPIENT}, Subject => $ENV{SUBJECT}], body => $ENV{BODY});
sendmail($email, { transport => $transport });
"""


NODEMAILER = r"""
// By address: it resolves no name on a machine whose only interface is the loopback one, as in this namespace.
const { HOST, PORT, TLS, CA, SMTP_USER, PASSWORD, SENDER, RECIPIENT, SUBJECT, BODY } = process.env
const transport = require('/usr/share/nodejs/nodemailer').createTransport({
  host: '127.0.0.1', port: Number(PORT), secure: TLS === 'implicit', requireTLS: TLS === 'starttls',
  auth: { user: SMTP_USER, pass: PASSWORD }, tls: { servername: HOST, ca: require('fs').readFileSync(CA) } })
transport.sendMail({ from: SENDER, to: RECIPIENT, subject: SUBJECT, text: BODY })
  .catch((error) => { console.error(error.message); process.exitCode = 1 })
"""

DJANGO = r"""
import os
from django.conf import settings
from django.core.mail import send_mail
settings.configure(EMAIL_HOST=os.environ['HOST'], EMAIL_PORT=int(os.environ['PORT']), EMAIL_HOST_USER=os.environ['SMTP_USER'],
                   EMAIL_HOST_PASSWORD=os.environ['PASSWORD'], EMAIL_USE_TLS=os.environ['TLS'] == 'starttls',
                   EMAIL_USE_SSL=os.environ['TLS'] == 'implicit')
send_mail(os.environ['SUBJECT'], os.environ['BODY'], os.environ['SENDER'], [os.environ['RECIPIENT']])
"""


def nodemailer(*arguments):
    return _script(["node", "-e"], NODEMAILER, *arguments)


def django(*arguments):
    return _script(["/usr/bin/python3", "-c"], DJANGO, *arguments)


def phpmailer(host, port, tls, ca_file, *rest):
    return _script(["php", "-d", f"openssl.cafile={ca_file}", "-r"], PHPMAILER, host, port, tls, ca_file, *rest)


def symfony_mailer(host, port, tls, ca_file, *rest):
    return _script(["php", "-d", f"openssl.cafile={ca_file}", "-r"], SYMFONY, host, port, tls, ca_file, *rest)


def ruby_mail(*arguments):
    return _script(["ruby", "-e"], RUBY_MAIL, *arguments)


def perl_email_sender(*arguments):
    return _script(["perl", "-e"], EMAIL_SENDER, *arguments)


def sendemail(host, port, tls, ca_file, user, password, sender, recipient, message):
    subject, body = _parts(message)
    return _run(["sendemail", "-f", sender, "-t", recipient, "-u", subject, "-m", body, "-s", f"{host}:{port}", "-xu", user, "-xp",
                 password, "-o", f"tls={'yes' if tls == 'starttls' else 'no'}", "-o", "fqdn=client.example"])


def git_send_email(host, port, tls, ca_file, user, password, sender, recipient, message):
    options = {"none": ["--smtp-encryption=none"], "starttls": ["--smtp-encryption=tls"], "implicit": ["--smtp-encryption=ssl"]}[tls]
    with tempfile.TemporaryDirectory() as home:
        patch = os.path.join(home, "0001.patch")
        with open(patch, "w", newline="") as file:
            file.write(message.replace("\r\n", "\n"))
        return _run(["git", "send-email", f"--smtp-server={host}", f"--smtp-server-port={port}", *options, f"--smtp-user={user}",
                     f"--smtp-pass={password}", f"--smtp-ssl-cert-path={ca_file}", "--smtp-domain=client.example", f"--from={sender}",
                     f"--to={recipient}", "--confirm=never", "--suppress-cc=all", "--no-validate", "--quiet", patch],
                    environment={"HOME": home, "GIT_CONFIG_NOSYSTEM": "1", "GIT_DIR": os.path.join(home, "none"),
                                 "GIT_COMMITTER_NAME": "Ann", "GIT_COMMITTER_EMAIL": sender, "GIT_AUTHOR_NAME": "Ann",
                                 "GIT_AUTHOR_EMAIL": sender})


ALL = {"swaks": swaks, "curl": curl, "python3 smtplib": python_smtplib, "msmtp": msmtp, "s-nail": s_nail, "mutt": mutt,
       "PHPMailer": phpmailer, "Symfony Mailer": symfony_mailer, "ruby mail": ruby_mail, "Email::Sender": perl_email_sender,
       "sendemail": sendemail, "git send-email": git_send_email, "Nodemailer": nodemailer, "Django": django}
# What a client cannot do, whatever the server: sendemail names versions of TLS that Debian's library does not know.
UNABLE = {("sendemail", "starttls"), ("sendemail", "implicit")}


def message(sender, recipient, subject="Test", body="Hello.\r\n", **fields):
    """A small message with CRLF line ends."""
    lines = [f"From: {sender}", f"To: {recipient}", f"Subject: {subject}",
             *(f"{name.replace('_', '-')}: {value}" for name, value in fields.items())]
    return "\r\n".join(lines) + "\r\n\r\n" + body


def plain_credentials(user, password):
    return base64.b64encode(f"\0{user}\0{password}".encode()).decode()
