"""The HTTP sink: compression, signatures, access tokens, client certificates, secrets, requests in flight."""

import base64
import hashlib
import hmac
import json
import time
import urllib.parse

import pytest

from certificates import make_pair
from http_peer import HttpPeer, HttpPeerHandler
from server import PATIENCE, run, wait_for
from test_sinks import STORE, again, arrives, counters, hook, ids, name, post

try:
    from standardwebhooks import Webhook  # make test-peers
except ImportError:
    Webhook = None

SECRETS = ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_" + base64.b64encode(bytes(32)).decode()]


def test_bodies_are_compressed(sluice, event, receiver):
    there = receiver()
    server = sluice(store=STORE, sinks=[hook(there, compression="gzip")])
    answer = server.post(event).json
    arrives(server, "hook")
    headers, records, _, _ = there.requests[0]
    assert (headers["Content-Encoding"], records) == ("gzip", [answer])
    assert there.bodies[0][4:8] == bytes(4)  # no time, so a retry has the same bytes


def signature(secret, headers, body):
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_requests_are_signed(sluice, event, receiver, secret, compression):
    """By each secret of the file, which is read for each request; the body is signed as it is sent."""
    there = receiver()
    file = secret("\n".join(SECRETS) + "\n")
    server = sluice(
        store=STORE, sinks=[hook(there, compression=compression, sign={"secret_file": file})]
    )
    post(server, event, ["first"])
    arrives(server, "hook")
    with open(file, "w") as out:
        out.write(SECRETS[1])
    post(server, event, ["a.b"])
    arrives(server, "hook")
    (first, *_), (second, *_) = there.requests
    assert first["webhook-id"] == "first" and abs(int(first["webhook-timestamp"]) - time.time()) < 60
    assert first["webhook-signature"].split() == [signature(one, first, there.bodies[0]) for one in SECRETS]
    assert second["webhook-id"] == "a%2Eb" and second["Idempotency-Key"] == "a.b"
    assert second["webhook-signature"] == signature(SECRETS[1], second, there.bodies[1])


@pytest.mark.skipif(not Webhook, reason="the package standardwebhooks is installed by make test-peers")
def test_the_published_library_verifies_signatures(sluice, event, receiver, secret):
    there = receiver()
    file = secret("\n".join(SECRETS))
    server = sluice(store=STORE, sinks=[hook(there, batch=3, sign={"secret_file": file})])
    post(server, event, name("e", 5))
    arrives(server, "hook")
    for (headers, records, _, _), body in zip(there.requests, there.bodies):
        for one in SECRETS:
            assert Webhook(one).verify(body, {key.lower(): value for key, value in headers.items()}) == records


TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.mark.parametrize("store", [STORE, {"path": ""}], ids=["store", "no store"])
def test_a_request_says_where_its_record_comes_from(sluice, event, receiver, store):
    """Also an attempt after the first one, and a record of an array."""
    there = receiver()
    tries = []
    there.plan = lambda records: (tries.append(1), (200 if len(tries) > 1 else 503, {}))[1]
    server = sluice(store=store, sinks=[hook(there)])
    sent = {"X-Request-Id": "req-1", "traceparent": TRACE}
    assert server.post(event | {"id": "first event"}, headers=sent).status == 200
    arrives(server, "hook")
    assert server.post([event | {"id": "second"}], headers={"X-Request-Id": "req-2"}).status == 200
    arrives(server, "hook")
    expected = {
        "sluice-event-id": "first%20event",
        "sluice-route": "route-1",
        "sluice-schema-version": there.requests[0][0]["sluice-schema-version"],
        "sluice-request-id": "req-1",
        "traceparent": TRACE,
    }
    retried = [headers for headers, *_ in there.requests if headers["sluice-event-id"] != "second"]
    assert len(retried) == 2
    for headers in retried:
        assert {name: headers[name] for name in expected} == expected
    (second,) = [headers for headers, *_ in there.requests if headers["sluice-event-id"] == "second"]
    assert second["sluice-request-id"] == "req-2"
    assert "traceparent" not in second


def test_the_origin_of_a_record_outlives_a_restart(sluice, event, receiver, folder):
    there = receiver()
    there.plan = lambda records: (503, {})
    server = sluice(store=STORE, sinks=[hook(there)])
    server.post(event | {"id": "e"}, headers={"X-Request-Id": "req-1", "traceparent": TRACE})
    there.wait(lambda there: there.requests, PATIENCE)
    server.stop()
    there.plan = lambda records: (200, {})
    server = again(server, server.file.read_text())
    arrives(server, "hook")
    headers = there.requests[-1][0]
    names = ("sluice-event-id", "sluice-request-id", "traceparent", "sluice-route")
    assert [headers[name] for name in names] == ["e", "req-1", TRACE, "route-1"]
    server.stop()


class TokenHandler(HttpPeerHandler):
    def do_POST(self):
        tokens = self.peer
        form = urllib.parse.parse_qs(self.body().decode())
        basic = base64.b64decode(self.headers["Authorization"].removeprefix("Basic ")).decode()
        tokens.asked.append((form, basic))
        answer = {"error": "invalid_client"}
        if tokens.status == 200:
            answer = {
                "access_token": f"t{len(tokens.asked)}",
                "token_type": "Bearer",
                "expires_in": tokens.lifetime,
            }
        self.send(tokens.status, body=json.dumps(answer).encode())


class TokenServer(HttpPeer):
    """Issues t1, t2, ... by client credentials; `status` refuses; `asked` has each request's form."""

    handler = TokenHandler

    def __init__(self):
        super().__init__()
        self.asked = self.calls
        self.status = 200
        self.lifetime = 3600


@pytest.fixture
def tokens():
    with TokenServer() as made:
        yield made


def oauth(tokens, secret, **changes):
    return {
        "token_url": f"{tokens.url}/token",
        "client_id": "sluice",
        "client_secret_file": secret("s3cret"),
        "scope": "records.write",
    } | changes


def test_requests_have_an_access_token(sluice, event, receiver, secret, tokens):
    """One for all; a new one once the receiver does not accept it any more."""
    there = receiver()
    server = sluice(store=STORE, sinks=[hook(there, oauth=oauth(tokens, secret))])
    post(server, event, name("e", 20))
    arrives(server, "hook")
    form = {"grant_type": ["client_credentials"], "scope": ["records.write"]}
    assert tokens.asked == [(form, "sluice:s3cret")]
    assert {headers["Authorization"] for headers, *_ in there.requests} == {"Bearer t1"}
    there.accept = lambda headers: 401 if headers["Authorization"] == "Bearer t1" else None
    post(server, event, name("f", 20))
    arrives(server, "hook")
    assert len(tokens.asked) == 2
    assert not [line for line in server.log() if line["event"] == "sink_failed"]
    text = json.dumps(server.log())
    assert "s3cret" not in text and "Bearer" not in text


def test_a_token_is_renewed_before_it_expires(sluice, event, receiver, secret, tokens):
    there = receiver()
    tokens.lifetime = 2
    server = sluice(store=STORE, sinks=[hook(there, oauth=oauth(tokens, secret))])
    for i in range(1000):
        post(server, event, [f"e{i}"])
        if len(tokens.asked) > 2:
            break
        time.sleep(0.05)
    arrives(server, "hook")
    assert len(tokens.asked) > 2
    assert {status for _, _, status, _ in there.requests} == {200}


@pytest.mark.parametrize(("status", "said"), [(401, "sink_misconfigured"), (503, "sink_failed")])
def test_no_token_postpones(sluice, event, receiver, secret, tokens, status, said):
    there = receiver()
    tokens.status = status
    server = sluice(store=STORE, sinks=[hook(there, max_attempts=1, oauth=oauth(tokens, secret))])
    post(server, event, name("e", 3))
    reason = server.wait_log(event=said, sink="hook")["reason"]
    assert reason == f"token_url: answered {status}: invalid_client"
    assert (there.requests, counters(server, "hook")["pending"]) == ([], 3)
    tokens.status = 200
    assert arrives(server, "hook")["delivered"] == 3


def test_a_client_certificate_is_shown(sluice, folder, event, receiver):
    """Without it the records wait."""
    ours, theirs = make_pair(folder, "ours"), make_pair(folder, "theirs")
    there = receiver(
        certificate=(theirs["cert_file"], theirs["key_file"]), client_ca=ours["cert_file"]
    )
    trusting = hook(there, ca_file=theirs["cert_file"])
    server = sluice(store=STORE, sinks=[trusting | {"name": "bare"}, trusting | ours])
    post(server, event, ["a"])
    assert arrives(server, "hook")["delivered"] == 1
    assert server.wait_log(event="sink_failed", sink="bare")["reason"]
    assert counters(server, "bare")["pending"] == 1


def test_a_secret_comes_from_the_environment(sluice, event, receiver):
    there = receiver()
    server = sluice(
        env={"HOOK_KEY": "alpha"},
        store=STORE,
        sinks=[hook(there, secret_headers={"x-key": "env:HOOK_KEY"})],
    )
    post(server, event, ["a"])
    arrives(server, "hook")
    assert there.requests[0][0]["x-key"] == "alpha"
    missing = run("check", "-c", server.file, cwd=server.file.parent)
    assert missing.returncode == 1
    assert "sinks[0].secret_headers.x-key: env:HOOK_KEY: it must be set" in missing.stdout + missing.stderr


@pytest.mark.parametrize("status", [301, 401, 407])
def test_what_the_operator_must_mend_holds_for_all_records(sluice, event, receiver, status):
    """No record is blamed, although later ones could be tried."""
    there = receiver()
    there.plan = lambda records: (status if "e0" in ids(records) else 200, {})
    server = sluice(store=STORE, sinks=[hook(there, max_attempts=1, in_flight=1)])
    post(server, event, name("e", 5))
    wait_for(lambda: len(there.requests) > 5, "retries", PATIENCE)
    assert counters(server, "hook")["dead"] == 0
    assert {tuple(ids(records)) for _, records, _, _ in there.requests} == {("e0",)}
    there.plan = lambda records: (200, {})
    assert arrives(server, "hook")["delivered"] == 5


def test_doctor_asks_for_a_token_and_looks_at_the_secrets(sluice, folder, event, receiver, secret, tokens):
    there = receiver()
    server = sluice(
        store=STORE,
        sinks=[hook(there, oauth=oauth(tokens, secret), sign={"secret_file": secret("whsec_*")})],
    )
    found = run("doctor", "-c", server.file, cwd=folder)
    assert "line 1 is not whsec_ and Base64" in found.stdout and found.returncode == 1
    assert tokens.asked == []
    (folder / "secret2").write_text(SECRETS[0])
    run("doctor", "-c", server.file, cwd=folder)
    assert len(tokens.asked) == 1
    tokens.status = 401
    found = run("doctor", "-c", server.file, cwd=folder)
    assert "hook: token_url: answered 401: invalid_client" in found.stdout and found.returncode == 1
