"""Tokens of a real OAuth server, npm's oidc-provider: its keys, its tokens, and new keys."""

import base64
import json
import pathlib
import socket
import subprocess
import time
import urllib.parse
import urllib.request

import pytest

from server import PATIENCE

HERE = pathlib.Path(__file__).resolve().parent
BUILT = HERE.parents[1] / "build" / "oauth"  # where `make test-oauth` has installed it
AUDIENCE = "https://sluice.example"
CREDENTIALS = ("eventbridge", "a secret of forty-two characters, at least")
ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Provider:
    """oidc-provider as a child process; restarted, it has new keys."""

    def __init__(self):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = None

    def start(self, name):
        self.process = subprocess.Popen(
            ["node", str(BUILT / "provider.js"), str(self.port), name],
            cwd=BUILT,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self.process.stdout.readline() == "listening\n"

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def token(self, alg):
        """What EventBridge does: client credentials, with HTTP Basic."""
        user = ":".join(urllib.parse.quote_plus(part) for part in CREDENTIALS)
        form = {"grant_type": "client_credentials", "resource": f"{AUDIENCE}/{alg}"}
        request = urllib.request.Request(
            self.url + "/token",
            urllib.parse.urlencode(form).encode(),
            {"Authorization": "Basic " + base64.b64encode(user.encode()).decode()},
        )
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return json.load(answer)["access_token"]


@pytest.fixture
def provider():
    running = Provider()
    running.start("first")
    yield running
    running.stop()


def auth(provider, **changes):
    bearer = {"issuer": provider.url, "audience": AUDIENCE, "jwks_url": provider.url + "/jwks"}
    return {"bearer": bearer | changes}


def status(server, event, token):
    return server.post(event, headers={"Authorization": f"Bearer {token}"}).status


def header_of(token):
    part = token.split(".")[0]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def test_its_tokens_open_the_door(sluice, event, provider):
    server = sluice(auth=auth(provider))
    for alg in ALGORITHMS:
        token = provider.token(alg)
        header = header_of(token)
        assert (header["alg"], header["kid"], header["typ"]) == (alg, f"first-{alg}", "at+jwt")
        assert status(server, event, token) == 200
        assert status(server, event, token) == 200
        head, body, signature = token.split(".")
        assert status(server, event, f"{head}.{body}.{signature[:-8]}AAAAAAAA") == 401
        assert status(server, event, f"{head}.{body}.") == 401


def test_a_token_for_somebody_else_is_refused(sluice, event, provider):
    server = sluice(auth=auth(provider, audience="https://other.example"))
    assert status(server, event, provider.token("ES256")) == 401
    assert server.wait_log(event="request", status=401)["reason"] == "another audience"


def test_an_issuer_of_another_name_is_refused(sluice, event, provider):
    server = sluice(auth=auth(provider, issuer=provider.url + "/"))
    assert status(server, event, provider.token("ES256")) == 401
    assert server.wait_log(event="request", status=401)["reason"] == "another issuer"


def test_keys_rotate(sluice, event, provider):
    """Its tokens stay good while it is away; when it is back with new keys, these are found."""
    server = sluice(auth=auth(provider))
    old = {alg: provider.token(alg) for alg in ALGORITHMS}
    assert {status(server, event, token) for token in old.values()} == {200}
    provider.stop()
    assert {status(server, event, token) for token in old.values()} == {200}
    provider.start("second")
    for alg in ALGORITHMS:
        token = provider.token(alg)
        assert header_of(token)["kid"] == f"second-{alg}"
        deadline = time.monotonic() + PATIENCE
        while status(server, event, token) != 200:  # as EventBridge, which retries a 401
            assert time.monotonic() < deadline
            time.sleep(0.1)
    assert {status(server, event, token) for token in old.values()} == {401}
