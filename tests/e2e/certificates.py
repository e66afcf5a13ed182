"""Certificates for tests, made with the openssl program."""

import datetime
import os
import pathlib
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


class Certificates:
    """A CA and certificates for 127.0.0.1: good, expired, with another name, by another CA."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.ca = self._authority("ca")
        self._authority("other")

    def _run(self, *words):
        subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)

    def _authority(self, name):
        key, cert = self.folder / f"{name}.key", self.folder / f"{name}.pem"
        self._run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                  "-keyout", key, "-out", cert, "-days", 2, "-subj", f"/CN=Test {name}",
                  "-addext", "basicConstraints=critical,CA:TRUE")  # fmt: skip
        return cert

    def make(self, kind):
        """Make a pair; returns the paths of certificate and key. `kind`: good, expired, wrong_name or unknown."""
        key, request, cert = (self.folder / f"{kind}.{end}" for end in ("key", "csr", "crt"))
        names = self.folder / f"{kind}.ext"
        name = "DNS:elsewhere.invalid" if kind == "wrong_name" else "IP:127.0.0.1,DNS:localhost"
        names.write_text(f"subjectAltName={name}\n")
        ca = self.folder / ("other" if kind == "unknown" else "ca")
        self._run("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                  "-keyout", key, "-out", request, "-subj", "/CN=glue")  # fmt: skip
        self._run("x509", "-req", "-in", request, "-CA", f"{ca}.pem", "-CAkey", f"{ca}.key",
                  "-CAcreateserial", "-days", 2, "-extfile", names, "-out", cert)  # fmt: skip
        if kind == "expired":
            expire(cert, self.folder / f"{ca}.key")
        return cert, key


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
