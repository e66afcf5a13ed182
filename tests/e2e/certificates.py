"""Certificates for tests, made with the openssl program."""

import os
import ssl
import subprocess


def make_pair(folder, name="server", days=30):
    """NAME.pem and NAME.key for localhost, self-signed; what http.tls wants to know of them.
    With negative `days` it has expired."""
    cert, key = folder / f"{name}.pem", folder / f"{name}.key"
    words = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    words += ["-days", str(abs(days)), "-subj", f"/CN={name}", "-keyout", key, "-out", cert]
    words += ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    subprocess.run(["openssl", *words], check=True, capture_output=True)
    if days < 0:  # `req` makes none that has expired
        words = ["x509", "-in", cert, "-signkey", key, "-days", str(days), "-out", cert]
        subprocess.run(["openssl", *words], check=True, capture_output=True)
    key.chmod(0o600)
    return {"cert_file": str(cert), "key_file": str(key)}


def put_pair(pair, other):
    """Replace the files of `pair` by those of `other`, one after the other, each at once."""
    for name in ("cert_file", "key_file"):
        os.rename(other[name], pair[name])


def trusting(*pairs, version=None):
    """A client's context that takes these certificates only."""
    context = ssl.create_default_context()
    for pair in pairs:
        context.load_verify_locations(pair["cert_file"])
    if version:
        context.minimum_version = context.maximum_version = version
    return context
