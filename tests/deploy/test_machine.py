"""The certificate of docs/deploy/machine.md: the hook of ACME clients, and certbot with an ACME authority, Pebble. A
server takes the new certificate, without a signal."""

import grp
import json
import os
import re
import shlex
import socketserver
import ssl
import subprocess
import threading

import pytest
from certificates import make_pair
from server import ROOT, environment, wait_for
from tools import find_tool

HOOK = ROOT / "conf/deploy/acme-hook.sh"


def hook_environment(tls):
    return {"SLUICE_TLS": str(tls), "SLUICE_GROUP": grp.getgrgid(os.getgid()).gr_name}


def renew(folder, name, tls, client):
    """What an ACME client does: write a new pair, and start its hook."""
    pair = make_pair(folder, name)
    lineage = folder / f"live-{name}"
    lineage.mkdir()
    for key, file in (("cert_file", "fullchain.pem"), ("key_file", "privkey.pem")):
        (lineage / file).symlink_to(pair[key])
    env = hook_environment(tls)
    if client == "certbot":
        env |= {"RENEWED_LINEAGE": str(lineage)}
    else:
        env |= {"LEGO_CERT_PATH": str(lineage / "fullchain.pem"), "LEGO_CERT_KEY_PATH": str(lineage / "privkey.pem")}
    subprocess.run([HOOK], env=environment(env), check=True)
    return ssl.PEM_cert_to_DER_cert((lineage / "fullchain.pem").read_text())


def certificate(server):
    """The certificate that a client gets."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    server.context = context
    with server.connect() as connection:
        return connection.socket.getpeercert(binary_form=True)


@pytest.mark.parametrize("client", ["certbot", "lego"])
def test_the_hook_replaces_the_certificate_of_a_server(sluice, folder, client):
    tls = folder / "etc/tls"
    old = renew(folder, "old", tls, client)
    assert oct((tls / "key.pem").stat().st_mode)[-3:] == "640"
    server = sluice(http={"tls": {"cert_file": str(tls / "cert.pem"), "key_file": str(tls / "key.pem")}})
    assert certificate(server) == old
    new = renew(folder, "new", tls, client)
    server.wait_log(event="tls_certificate_reloaded")
    assert wait_for(lambda: certificate(server) == new, "the new certificate")
    assert sorted(file.name for file in tls.iterdir()) == ["cert.pem", "key.pem"]


def test_the_hook_fails_without_a_client():
    done = subprocess.run([HOOK], env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode != 0 and "neither certbot nor lego" in done.stderr


class Name(socketserver.StreamRequestHandler):
    """Answers a question to DNS, over TCP: each name has the address 127.0.0.1."""

    def handle(self):
        query = self.rfile.read(int.from_bytes(self.rfile.read(2), "big"))
        end = query.index(0, 12) + 5  # of the question: name, type, class
        found = query[end - 4 : end - 2] == b"\0\1"  # A
        head = query[:2] + b"\x81\x80\0\1\0" + bytes([found]) + bytes(4)
        record = b"\xc0\x0c\0\1\0\1" + bytes(4) + b"\0\4\x7f\0\0\1" if found else b""
        answer = head + query[12:end] + record
        self.wfile.write(len(answer).to_bytes(2, "big") + answer)


@pytest.fixture
def names():
    """The address of a server of DNS."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Name) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield "{}:{}".format(*server.server_address)
        server.shutdown()
        thread.join()


@pytest.fixture
def authority(folder, free_port, background, names):
    """Pebble, an ACME authority. What certbot must be told to use it: options, and environment."""
    port, challenge = free_port(), free_port()
    pair = make_pair(folder)
    config = {
        "listenAddress": f"127.0.0.1:{port}",
        "certificate": pair["cert_file"],
        "privateKey": pair["key_file"],
        "httpPort": challenge,
        "retryAfter": {"authz": 1, "order": 1},
        "profiles": {"default": {"description": "default", "validityPeriod": 7776000}},
    }
    (folder / "pebble.json").write_text(json.dumps({"pebble": config}))
    env = environment({"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0", "PEBBLE_AUTHZREUSE": "0"})
    background([find_tool("pebble"), "-config", folder / "pebble.json", "-dnsserver", names], port, env=env)
    places = [f"--{kind}-dir={folder}/certbot-{kind}" for kind in ("config", "work", "logs")]
    here = [f"--http-01-port={challenge}", "--http-01-address=127.0.0.1", "--non-interactive", *places]
    return port, here, {"REQUESTS_CA_BUNDLE": pair["cert_file"]}


def leaf(file):
    """The first certificate of a chain."""
    return ssl.PEM_cert_to_DER_cert(re.match(r"(?s).*?-----END CERTIFICATE-----\n", file.read_text())[0])


def test_certbot_gets_and_renews_the_certificate(sluice, folder, tool, authority):
    """The page's own command, with an authority on loopback."""
    port, here, trust = authority
    tls = folder / "etc/tls"
    env = environment(hook_environment(tls) | trust)
    page = (ROOT / "docs/deploy/machine.md").read_text()
    words = shlex.split(re.search(r"(?m)^certbot certonly (?:.*\\\n)*.*", page)[0].replace("\\\n", " "))
    words = [str(HOOK) if word == "/usr/share/sluice/acme-hook.sh" else word for word in words]
    assert words[0] == "certbot" and str(HOOK) in words
    first = [f"--server=https://127.0.0.1:{port}/dir", "--agree-tos", "--register-unsafely-without-email"]
    tool(*words, *first, *here, env=env)
    server = sluice(http={"tls": {"cert_file": str(tls / "cert.pem"), "key_file": str(tls / "key.pem")}})
    old = certificate(server)
    chain = (tls / "cert.pem").read_text()
    assert old == leaf(tls / "cert.pem") and chain.count("BEGIN CERTIFICATE") == 2
    assert "id-ecPublicKey" in tool("openssl", "x509", "-noout", "-text", stdin=chain)
    tool("certbot", "renew", "--force-renewal", "--no-random-sleep-on-renew", *here, env=env)
    server.wait_log(event="tls_certificate_reloaded")
    new = wait_for(lambda: (got := certificate(server)) != old and got, "the new certificate")
    assert new == leaf(tls / "cert.pem")
