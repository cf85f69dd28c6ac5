"""Certificates of tests: an authority, leaf certificates in any state of disrepair, and their TLSA data."""

import datetime
import hashlib
import pathlib

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_DAY = datetime.timedelta(days=1)


class Identity:
    """A certificate with its key, and the authority's certificate when it has one."""

    def __init__(self, key, certificate, issuer=None):
        self.key = key
        self.certificate = certificate
        self.issuer = issuer

    def certificate_pem(self):
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def chain_pem(self):
        """The leaf, then its issuer: what a server sends."""
        return self.certificate_pem() + (self.issuer.certificate_pem() if self.issuer else b"")

    def key_pem(self):
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())

    def write(self, folder, name):
        """Writes `name.pem` (chain) and `name.key` (key, readable by the owner alone); returns both paths."""
        chain, key = pathlib.Path(folder) / f"{name}.pem", pathlib.Path(folder) / f"{name}.key"
        chain.write_bytes(self.chain_pem())
        key.touch(mode=0o600)
        key.write_bytes(self.key_pem())
        return str(chain), str(key)

    def public_key_der(self):
        return self.certificate.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)

    def tlsa(self, usage=3, selector=1, matching=1):
        """Presentation form of a TLSA record for this certificate, RFC 6698 §2.1."""
        data = self.public_key_der() if selector == 1 else self.certificate.public_bytes(serialization.Encoding.DER)
        digest = {0: lambda octets: octets, 1: lambda octets: hashlib.sha256(octets).digest(),
                  2: lambda octets: hashlib.sha512(octets).digest()}[matching]
        return f"{usage} {selector} {matching} {digest(data).hex()}"


def wrong_tlsa(usage=3):
    """A TLSA record that is well formed and matches no certificate."""
    return f"{usage} 1 1 {hashlib.sha256(b'nobody has this key').hexdigest()}"


def _new_key(kind):
    if kind == "ec":
        return ec.generate_private_key(ec.SECP256R1())
    return rsa.generate_private_key(65537, {"rsa": 2048, "rsa-1024": 1024}[kind])


def _builder(subject, issuer, key, not_before, not_after):
    return (x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)] if subject else []))
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(not_before)
            .not_valid_after(not_after)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False))


def authority(name="Example Test Authority", key_kind="ec"):
    """Makes an authority that signs leaf certificates."""
    key = _new_key(key_kind)
    now = datetime.datetime.utcnow()
    own_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    usage = x509.KeyUsage(digital_signature=False, content_commitment=False, key_encipherment=False,
                          data_encipherment=False, key_agreement=False, key_cert_sign=True, crl_sign=True,
                          encipher_only=False, decipher_only=False)
    certificate = (_builder(name, own_name, key, now - _DAY, now + 30 * _DAY)
                   .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
                   .add_extension(usage, critical=True)
                   .sign(key, hashes.SHA256()))
    return Identity(key, certificate)


def leaf(issuer, names, key_kind="ec", expired=False, subject=None):
    """Makes a server certificate for DNS names; signed by itself when `issuer` is None.

    `expired` puts its end into yesterday; `subject` is the common name, default the first of `names`.
    """
    key = _new_key(key_kind)
    now = datetime.datetime.utcnow()
    not_after = now - _DAY if expired else now + 20 * _DAY
    subject = subject if subject is not None else names[0]
    own_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)])
    builder = _builder(subject, issuer.certificate.subject if issuer else own_name, key, now - 10 * _DAY, not_after)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    if names:
        builder = builder.add_extension(
            x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
    if issuer:
        builder = builder.add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()), critical=False)
    certificate = builder.sign((issuer or Identity(key, None)).key, hashes.SHA256())
    return Identity(key, certificate, issuer)


def client(issuer, dns=(), mail=(), expired=False):
    """Makes a certificate of a TLS client for host names and addresses."""
    key = _new_key("ec")
    now = datetime.datetime.utcnow()
    names = [x509.DNSName(name) for name in dns] + [x509.RFC822Name(name) for name in mail]
    builder = _builder("client", issuer.certificate.subject, key, now - 10 * _DAY, now - _DAY if expired else now + 20 * _DAY)
    builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return Identity(key, builder.sign(issuer.key, hashes.SHA256()), issuer)
