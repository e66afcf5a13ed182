"""Bearer tokens, signed with another library than the server's: algorithms, rotation, outages.

tests/unit/handlers/auth/test_jwt.c has every kind of forged header and wrong claim."""

import json
import time

import pytest

import issuer as oauth
from client import request
from issuer import AUDIENCE, Issuer, Key, encode, hmac_with
from server import wait_for

ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]


@pytest.fixture(scope="module")
def idp():
    server = Issuer(*ALGORITHMS)
    yield server
    server.close()


@pytest.fixture
def rotating():
    """An issuer for one test, which may change it."""
    server = Issuer("ES256")
    yield server
    server.close()


def post(server, event, token, **headers):
    return server.post(event, headers={"Authorization": f"Bearer {token}"} | headers)


def refused(answer, error=True):
    assert (answer.status, answer.json) == (401, {"error": "Unauthorized"})
    challenge = answer.header("WWW-Authenticate")
    assert challenge.startswith("Bearer ")
    assert ('error="invalid_token"' in challenge) == error
    return answer


def test_every_algorithm_opens_the_door(sluice, event, idp):
    server = sluice(auth=idp.config())
    for key in idp.keys:
        token = idp.token(key)
        for _ in range(2):  # first verified, then from the cache
            assert post(server, event, token).status == 200, key.alg
    assert idp.asked <= 3


def test_no_token_is_refused_without_an_error(sluice, event, idp):
    server = sluice(auth=idp.config())
    refused(server.post(event), error=False)
    refused(server.post(event, headers={"Authorization": "Basic Zm9vOmJhcg=="}), error=False)
    for path in ("/", "/healthz", "/readyz", "/metrics"):
        assert server.get(path).status == 200


def test_forged_tokens_are_refused(sluice, event, idp):
    server = sluice(auth=idp.config())
    rs, _, es, ed = idp.keys
    stranger = Key("ES256", es.kid)
    head, body, signature = idp.token(es).split(".")
    none = encode({"alg": "none", "typ": "JWT"})
    tokens = {
        "alg none": f"{none}.{body}.",
        "HS256 with the PEM": idp.token(rs, header={"alg": "HS256"}, signature=hmac_with(rs.pem())),
        "RS256 with the PEM": idp.token(rs, signature=hmac_with(rs.pem())),
        "PS256 for RS256": idp.token(rs, header={"alg": "PS256"}),
        "the kid of another key": idp.token(es, header={"kid": ed.kid}),
        "unknown kid": idp.token(es, header={"kid": "nobody"}),
        "a stranger's signature": idp.token(stranger),
        "a stranger's key set": idp.token(stranger, header={"jku": idp.url + "/evil"}),
        "DER": idp.token(es, signature=lambda m: es.private.sign(m, oauth.ec.ECDSA(oauth.hashes.SHA256()))),
        "another payload": f"{head}.{encode({'iss': idp.url, 'aud': AUDIENCE, 'exp': 1 << 32})}.{signature}",
        "expired": idp.token(es, exp=int(time.time()) - 61),
        "another audience": idp.token(es, aud="https://other.example"),
        "another issuer": idp.token(es, iss="https://evil.example"),
    }
    for name, token in tokens.items():
        answer = post(server, event, token)
        assert answer.status == 401, name
        refused(answer)
    longest = idp.token(note="x" * ((8192 - len(idp.token(note=""))) * 3 // 4))
    assert 8192 - 8 < len(longest) <= 8192
    assert post(server, event, longest).status == 200
    assert idp.asked < 10  # a forged key name does not cause a request to the issuer each time


def test_the_log_says_why_and_not_what(sluice, event, idp):
    server = sluice(auth=idp.config())
    token = idp.token(exp=1)
    refused(post(server, event, token))
    line = server.wait_log(event="request", status=401)
    assert line["reason"] == "expired"
    assert token.split(".")[1] not in json.dumps(server.log())


def test_a_new_key_is_fetched_when_a_token_names_it(sluice, event, rotating):
    server = sluice(auth=rotating.config())
    old = rotating.token()
    assert post(server, event, old).status == 200
    rotating.keys = [Key("ES256", "second")]
    new = rotating.token()
    refused(post(server, event, new))  # at once; EventBridge retries
    wait_for(lambda: post(server, event, new).status == 200)
    refused(post(server, event, old))  # in the cache, but its key was removed


def test_another_key_under_the_same_name_is_found(sluice, event, rotating):
    server = sluice(auth=rotating.config())
    assert post(server, event, rotating.token()).status == 200
    rotating.keys = [Key("ES256", rotating.keys[0].kid)]
    new = rotating.token()
    refused(post(server, event, new))  # at once; EventBridge retries
    wait_for(lambda: post(server, event, new).status == 200)


def test_a_flood_of_forged_tokens_is_not_checked(sluice, event, idp):
    server = sluice(auth=idp.config())
    good = idp.token()
    assert post(server, event, good).status == 200
    stranger = Key("EdDSA", idp.keys[3].kid)
    flood = [
        request("POST", "/events", b"{}", {"Authorization": f"Bearer {token}"})
        for token in (idp.token(stranger, jti=str(number)) for number in range(400))
    ]
    with server.connect() as connection:
        connection.send(b"".join(flood))
        answers = [connection.answer() for _ in flood]
    assert {answer.status for answer in answers} == {401, 429}
    limited = next(answer for answer in answers if answer.status == 429)
    assert int(limited.header("Retry-After")) >= 1
    line = server.wait_log(event="request", status=429)
    assert line["reason"] == "token not checked: too many bad ones from this address"
    assert post(server, event, good).status == 200


def test_clients_and_scopes_take_the_place_of_an_audience(sluice, event, idp):
    """Access tokens of Amazon Cognito have no audience."""
    server = sluice(auth=idp.config(audience="", client_ids=["c"], scopes=["events/write"]))
    good = {"aud": None, "client_id": "c", "scope": "x events/write", "token_use": "access"}
    assert post(server, event, idp.token(**good)).status == 200
    for wrong in ({"client_id": "d"}, {"scope": "x"}, {"token_use": "id"}):
        refused(post(server, event, idp.token(**good | wrong)))


def test_forged_kids_do_not_hammer_the_issuer(sluice, event, rotating):
    server = sluice(auth=rotating.config())
    began = time.monotonic()
    before = rotating.asked
    for n in range(200):
        refused(post(server, event, rotating.token(header={"kid": f"forged{n}"})))
    assert rotating.asked - before <= 3 + (time.monotonic() - began) / 5


def test_keys_stay_while_the_issuer_is_away(sluice, event, rotating):
    server = sluice(auth=rotating.config())
    rotating.fails = True
    refused(post(server, event, rotating.token(header={"kid": "new"})))
    server.wait_log(event="jwks_refresh_failed")
    assert post(server, event, rotating.token()).status == 200


def test_an_issuer_may_come_later(sluice, event, rotating):
    rotating.fails = True
    server = sluice(auth=rotating.config())
    server.wait_log(event="jwks_refresh_failed")
    refused(post(server, event, rotating.token()))
    assert server.get("/healthz").status == 200
    rotating.fails = False
    wait_for(lambda: post(server, event, rotating.token()).status == 200)


def test_keys_may_be_in_a_file(sluice, event, folder, idp):
    path = folder / "jwks.json"
    path.write_text(json.dumps({"keys": [idp.keys[2].jwk()]}))
    server = sluice(auth=idp.config(jwks_url="", jwks_file=str(path)))
    assert post(server, event, idp.token(idp.keys[2])).status == 200
    refused(post(server, event, idp.token(idp.keys[3])))
    other = folder / "next.json"
    other.write_text(json.dumps(idp.jwks()))
    other.replace(path)
    wait_for(lambda: post(server, event, idp.token(idp.keys[3])).status == 200)


def test_every_credential_is_enough(sluice, event, secret, idp):
    auth = idp.config() | {
        "api_keys": [{"header": "x-api-key", "value_file": secret("alpha")}],
        "basic": [{"user": "eve", "password_file": secret("pass")}],
    }
    server = sluice(auth=auth)
    assert post(server, event, idp.token()).status == 200
    assert server.post(event, headers={"X-Api-Key": "alpha"}).status == 200
    assert server.post(event, headers={"Authorization": "Basic ZXZlOnBhc3M="}).status == 200
    assert post(server, event, "x.y.z", **{"X-Api-Key": "alpha"}).status == 200
    challenge = refused(post(server, event, "x.y.z")).header("WWW-Authenticate")
    assert all(f"{scheme} " in challenge for scheme in ("Bearer", "Basic", "ApiKey"))


def test_a_refused_body_is_not_read(sluice, idp):
    server = sluice(auth=idp.config())
    head = "POST /events HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
    answer = server.raw(f"{head}Content-Length: 2000\r\nExpect: 100-continue\r\n\r\n".encode())
    assert (answer.status, answer.interim) == (401, [])
