"""The hook of ACME clients: a server takes the new certificate, without a signal."""

import grp
import os
import ssl
import subprocess

import pytest
from certificates import make_pair
from server import ROOT, environment, wait_for

HOOK = ROOT / "conf/deploy/acme-hook.sh"


def renew(folder, name, tls, client):
    """What an ACME client does: write a new pair, and start its hook."""
    pair = make_pair(folder, name)
    lineage = folder / f"live-{name}"
    lineage.mkdir()
    for key, file in (("cert_file", "fullchain.pem"), ("key_file", "privkey.pem")):
        (lineage / file).symlink_to(pair[key])
    env = {"SLUICE_TLS": str(tls), "SLUICE_GROUP": grp.getgrgid(os.getgid()).gr_name}
    if client == "certbot":
        env |= {"RENEWED_LINEAGE": str(lineage)}
    else:
        env |= {"LEGO_CERT_PATH": str(lineage / "fullchain.pem"), "LEGO_CERT_KEY_PATH": str(lineage / "privkey.pem")}
    subprocess.run([HOOK], env=environment(env), check=True)
    return ssl.PEM_cert_to_DER_cert((lineage / "fullchain.pem").read_text())


@pytest.mark.parametrize("client", ["certbot", "lego"])
def test_the_hook_replaces_the_certificate_of_a_server(sluice, folder, client):
    tls = folder / "etc/tls"
    old = renew(folder, "old", tls, client)
    assert oct((tls / "key.pem").stat().st_mode)[-3:] == "640"
    server = sluice(http={"tls": {"cert_file": str(tls / "cert.pem"), "key_file": str(tls / "key.pem")}})

    def certificate():
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        server.context = context
        with server.connect() as connection:
            return connection.socket.getpeercert(binary_form=True)

    assert certificate() == old
    new = renew(folder, "new", tls, client)
    server.wait_log(event="tls_certificate_reloaded")
    assert wait_for(lambda: certificate() == new, "the new certificate")
    assert sorted(file.name for file in tls.iterdir()) == ["cert.pem", "key.pem"]


def test_the_hook_fails_without_a_client():
    done = subprocess.run([HOOK], env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode != 0 and "neither certbot nor lego" in done.stderr
