"""Certificates for tests, made with the openssl program."""

import datetime
import os
import ssl
import struct
import subprocess

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization


def make_pair(folder, name="server", days=30):
    """Make NAME.pem and NAME.key, self-signed for localhost. Returns the settings of http.tls.
    Negative `days`: the certificate has expired."""
    cert, key = folder / f"{name}.pem", folder / f"{name}.key"
    words = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    words += ["-days", str(abs(days)), "-subj", f"/CN={name}", "-keyout", key, "-out", cert]
    words += ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    subprocess.run(["openssl", *words], check=True, capture_output=True)
    if days < 0:
        expire(cert, key)
    key.chmod(0o600)
    return {"cert_file": str(cert), "key_file": str(key)}


def expire(cert_file, issuer_key_file):
    """Replace the certificate by one that expired yesterday, which not every version of `openssl` can make."""
    cert = x509.load_pem_x509_certificate(cert_file.read_bytes())
    issuer_key = serialization.load_pem_private_key(issuer_key_file.read_bytes(), None)
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = x509.CertificateBuilder(
        cert.issuer,
        cert.subject,
        cert.public_key(),
        cert.serial_number,
        now - datetime.timedelta(days=2),
        now - datetime.timedelta(days=1),
        list(cert.extensions),
    )
    expired = builder.sign(issuer_key, hashes.SHA256())
    cert_file.write_bytes(expired.public_bytes(serialization.Encoding.PEM))


def put_pair(pair, other):
    """Replace the files of `pair` by those of `other`, one after the other, each atomically."""
    for name in ("cert_file", "key_file"):
        os.rename(other[name], pair[name])


def trusting(*pairs, version=None):
    """A client's SSL context that trusts only these certificates."""
    context = ssl.create_default_context()
    for pair in pairs:
        context.load_verify_locations(pair["cert_file"])
    if version:
        context.minimum_version = context.maximum_version = version
    return context


def client_hello(groups, share, host=None):
    """A ClientHello of TLS 1.3 only, without renegotiation_info. It offers `groups` and the key share
    (group, bytes). SNI names `host`, unless it is None."""

    def extension(kind, body):
        return struct.pack(">HH", kind, len(body)) + body

    def listed(body, size=">H"):
        return struct.pack(size, len(body)) + body

    group, key = share
    extensions = [
        extension(43, b"\x02\x03\x04"),  # supported_versions: 1.3
        extension(10, listed(b"".join(struct.pack(">H", g) for g in groups))),
        extension(13, listed(b"\x04\x03\x08\x04")),  # ECDSA with P-256, RSA-PSS
        extension(51, listed(struct.pack(">H", group) + listed(key))),
    ]
    if host is not None:
        extensions.append(extension(0, listed(b"\0" + listed(host))))
    hello = b"\x03\x03" + os.urandom(32) + listed(os.urandom(32), ">B")
    hello += listed(b"\x13\x01") + b"\x01\0" + listed(b"".join(extensions))
    hello = b"\x01" + struct.pack(">I", len(hello))[1:] + hello
    return b"\x16\x03\x01" + listed(hello)
