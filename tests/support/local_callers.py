"""Programs of Debian that hand their mail to /usr/sbin/sendmail, each with its own defaults. `LOCAL` has them by name."""

import pathlib
import shutil
import tempfile

import debian_unpack
import private_namespace
import wire_recorder
from stock_clients import SCRIPTS, Client, git_identity, run, run_script

RECORDER = """#!/bin/sh
printf '%s\\n' "$@" >{folder}/arguments
tee {folder}/input | {folder}/program/sendmail "$@"
"""


class SendmailRecorder:
    """Stands at /usr/sbin/sendmail of this namespace, notes how it is called and what it is given, and hands it on."""

    def __init__(self, folder, program):
        self.folder = pathlib.Path(folder)
        (self.folder / "program").mkdir(parents=True)
        shutil.copy(program, self.folder / "program" / "sendmail")  # the program knows by its name what it is to be
        script = self.folder / "recorder"
        script.write_text(RECORDER.format(folder=self.folder))
        script.chmod(0o755)
        private_namespace.show_file(script, "/usr/sbin/sendmail")

    def arguments(self, mail):
        """The last caller's options, with names in place of what is of one message."""
        words = (self.folder / "arguments").read_text().split("\n")[:-1]
        return " ".join(words).replace(mail.recipient, "RECIPIENT").replace(mail.sender, "SENDER")

    def content(self):
        """The last message as on a wire: a dialogue's DATA, or the text with CRLF at the ends of lines."""
        given = (self.folder / "input").read_bytes()
        said = wire_recorder.content_of(given)
        return given.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n") if said is None else said


def script(*command):
    """A program of clients/local: its interpreter, and its name."""
    return lambda server, mail: run_script([*command[:-1], str(SCRIPTS / "local" / command[-1])], server, mail)


def _run(command, mail, **environment):
    with tempfile.TemporaryDirectory() as home:
        return run(command, stdin=mail.body(), environment={"HOME": home, **environment})


def mutt(server, mail):
    return _run(["mutt", "-F", "/dev/null", "-e", "set copy=no", "-s", mail.subject(), "--", mail.recipient], mail)


def s_nail(server, mail):
    return _run(["s-nail", "-:/", "-S", "v15-compat", "-S", "sendwait", "-s", mail.subject(), mail.recipient], mail)


def bsd_mailx(server, mail):
    tree = debian_unpack.unpack("bsd-mailx")
    return _run([tree.program("usr/bin/bsd-mailx"), "-s", mail.subject(), mail.recipient], mail,
                LD_LIBRARY_PATH=tree.library_path())


def mailutils(server, mail):
    tree = debian_unpack.unpack("mailutils")
    return _run([tree.program("usr/bin/mail.mailutils"), "-s", mail.subject(), mail.recipient], mail,
                LD_LIBRARY_PATH=tree.library_path())


def git_send_email(server, mail):
    with tempfile.TemporaryDirectory() as folder:
        patch = pathlib.Path(folder) / "0001.patch"
        patch.write_text(mail.text.replace("\r\n", "\n"))
        return _run(["git", "send-email", f"--to={mail.recipient}", f"--from={mail.sender}", "--confirm=never", "--suppress-cc=all",
                     "--no-validate", "--quiet", str(patch)], mail, **git_identity(mail.sender, folder))


WAYS = ("sendmail",)
LOCAL = {
    "PHP mail()": Client(script("php", "php_mail.php"), ("php",), WAYS),
    "PHPMailer": Client(script("php", "phpmailer.php"), ("php", "/usr/share/php/libphp-phpmailer"), WAYS),
    "Symfony Mailer": Client(script("php", "symfony_mailer.php"), ("php", "/usr/share/php/Symfony/Component/Mailer"), WAYS),
    "ruby mail": Client(script("ruby", "ruby_mail.rb"), ("ruby", "/usr/lib/ruby/vendor_ruby/mail.rb"), WAYS),
    "Email::Sender": Client(script("perl", "email_sender.pl"), ("perl:Email::Sender",), WAYS),
    "Nodemailer": Client(script("node", "nodemailer.js"), ("node", "/usr/share/nodejs/nodemailer"), WAYS),
    "git send-email": Client(git_send_email, ("git", "/usr/lib/git-core/git-send-email"), WAYS),
    "mutt": Client(mutt, ("mutt",), WAYS),
    "s-nail": Client(s_nail, ("s-nail",), WAYS),
    # These two would bring a mail server along, so they are unpacked and not installed.
    "bsd-mailx": Client(bsd_mailx, (), WAYS, lambda: debian_unpack.unpack("bsd-mailx")),
    "mailutils": Client(mailutils, (), WAYS, lambda: debian_unpack.unpack("mailutils")),
}
