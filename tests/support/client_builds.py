"""Clients that have to be compiled, or that come from npm: what makes programs of the sources in clients/smtp.

All that is fetched and made stays below build/peers for the next run. What each costs on a Debian without it, on two cores:

    JDK, of tests/peer_packages          125 MB to fetch, 296 MB on disk, 8 s
    Go, unpacked                          81 MB to fetch, 464 MB on disk, 10 s, and 5 s for the first compilation
    emailjs, by npm                       60 kB to fetch, 2 s

npm itself is not installed for that one package: Debian's brings 400 others and takes 20 s. Machines that have Node.js from
elsewhere have it, and on others the test of emailjs is skipped.
"""

import functools
import os
import pathlib
import shutil
import subprocess

import debian_unpack

EMAILJS = "emailjs@5.0.3"  # it needs no other package


def _made(command, **more):
    answer = subprocess.run(command, capture_output=True, text=True, timeout=300, **more)
    if answer.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))}: {answer.stdout}{answer.stderr}")


def go():
    """Go's compiler and library, unpacked: installed they would be half a gigabyte that nothing else uses."""
    return debian_unpack.unpack("golang-go")


@functools.cache
def go_program(source):
    """Compiles one file; gives the program's path."""
    program = debian_unpack.PEERS / source.stem
    tree = go()
    environment = {**os.environ, "GOROOT": os.path.realpath(tree.program("usr/lib/go")), "GOCACHE": str(debian_unpack.PEERS / "go-cache"),
                   "GO111MODULE": "off", "CGO_ENABLED": "0"}
    _made([tree.program("usr/bin/go"), "build", "-o", str(program), str(source)], env=environment)
    return str(program)


@functools.cache
def java_command(source, ca_file):
    """Compiles one class of JavaMail's users; gives the command that runs it and trusts one authority."""
    folder = debian_unpack.PEERS / "java"
    folder.mkdir(parents=True, exist_ok=True)
    path = "/usr/share/java/javax.mail.jar:/usr/share/java/javax.activation.jar"
    _made(["javac", "-d", str(folder), "-cp", path, str(source)])
    store = pathlib.Path(ca_file).with_suffix(".p12")
    _made(["keytool", "-importcert", "-noprompt", "-file", ca_file, "-keystore", str(store), "-storetype", "PKCS12",
           "-storepass", "changeit"])
    return ["java", f"-Djavax.net.ssl.trustStore={store}", "-Djavax.net.ssl.trustStorePassword=changeit", "-cp", f"{folder}:{path}",
            source.stem]


def emailjs():
    """Fetches the package from npm, once; gives the folder that holds it."""
    debian_unpack.assert_to_be_had("emailjs")
    folder = debian_unpack.PEERS / "emailjs"
    if not (folder / "node_modules" / "emailjs").is_dir():
        if not shutil.which("npm"):
            raise debian_unpack.UnpackError("emailjs", "npm, which fetches it, is not installed")
        try:
            answer = subprocess.run(["npm", "install", "--prefix", str(folder), "--ignore-scripts", "--no-audit", "--no-fund", "--no-save",
                                     "--fetch-retries=1", EMAILJS], capture_output=True, text=True, timeout=60)
            complaint = answer.stderr.strip().splitlines()[:1] or ["no reason given"] if answer.returncode else []
        except subprocess.TimeoutExpired:
            complaint = ["no answer within 60 s"]
        if complaint:
            raise debian_unpack.UnpackError("emailjs", f"npm cannot fetch it: {complaint[0]}")
    return folder


def npm_program(source):
    """A program beside the package that it imports; gives its path."""
    return shutil.copy(source, emailjs())
