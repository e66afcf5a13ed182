"""Bearer tokens of an OAuth server: good ones, forged ones, keys that come and go."""

import json
import time

import pytest

import issuer as oauth
from client import request
from issuer import AUDIENCE, Issuer, Key, encode, hmac_with
from server import PATIENCE

TWICE = b'{"alg":"none","alg":"ES256"}'
ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]


@pytest.fixture(scope="module")
def idp():
    server = Issuer(*ALGORITHMS)
    yield server
    server.close()


@pytest.fixture
def rotating():
    """An issuer of the test's own, to change."""
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


def until(condition):
    """Ask again until it is so."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_token_of_8_kib_passes(sluice, event, idp):
    server = sluice(auth=idp.config())
    token = idp.token(note="x" * ((8192 - len(idp.token(note=""))) * 3 // 4))
    assert 8192 - 8 < len(token) <= 8192
    assert post(server, event, token).status == 200


def test_every_algorithm_opens_the_door(sluice, event, idp):
    server = sluice(auth=idp.config())
    for key in idp.keys:
        token = idp.token(key)
        for _ in range(2):  # checked, then known
            assert post(server, event, token).status == 200, key.alg
    assert idp.asked <= 3


def test_no_token_is_refused_without_an_error(sluice, event, idp):
    server = sluice(auth=idp.config())
    refused(server.post(event), error=False)
    refused(server.post(event, headers={"Authorization": "Basic Zm9vOmJhcg=="}), error=False)
    for path in ("/", "/healthz", "/readyz", "/metrics"):
        assert server.get(path).status == 200


def forgeries(idp):
    """Names and tokens that must not pass."""
    rs, ps, es, ed = idp.keys
    stranger = Key("ES256", es.kid)
    good = idp.token(es)
    head, body, signature = good.split(".")
    now = int(time.time())
    none = encode({"alg": "none", "typ": "JWT"})
    raw = es.private.sign(
        f"{head}.{body}".encode(), oauth.ec.ECDSA(oauth.hashes.SHA256())
    )  # DER, not r and s

    def with_claims(**claims):
        return idp.token(es, **claims)

    def with_header(key=es, **header):
        return idp.token(key, header=header)

    return {
        "alg none": f"{none}.{body}.",
        "alg none, signed": f"{none}.{body}.{signature}",
        "alg None": with_header(alg="None"),
        "alg NONE": with_header(alg="NONE"),
        "alg nOnE": with_header(alg="nOnE"),
        "alg absent": with_header(alg=None),
        "alg in lower case": with_header(alg="es256"),
        "HS256 with the PEM": idp.token(
            rs, header={"alg": "HS256"}, signature=hmac_with(rs.pem())
        ),
        "HS256 with the JWK": idp.token(
            rs, header={"alg": "HS256"}, signature=hmac_with(json.dumps(rs.jwk()).encode())
        ),
        "HMAC called RS256": idp.token(rs, signature=hmac_with(rs.pem())),
        "HMAC with nothing": idp.token(es, header={"alg": "HS256"}, signature=hmac_with(b"")),
        "RS256 for PS256": idp.token(ps, header={"alg": "RS256"}),
        "PS256 for RS256": idp.token(rs, header={"alg": "PS256"}),
        "EdDSA for ES256": with_header(alg="EdDSA"),
        "another's kid": with_header(kid=ed.kid),
        "unknown kid": with_header(kid="nobody"),
        "kid a path": with_header(kid="../../../../dev/null"),
        "kid for SQL": with_header(kid="x' UNION SELECT 'key"),
        "kid a number": with_header(kid=7),
        "kid of 300 bytes": with_header(kid="k" * 300),
        "a stranger's signature": idp.token(stranger),
        "his key in the header": idp.token(stranger, header={"jwk": stranger.jwk(), "kid": None}),
        "his address in the header": idp.token(
            stranger, header={"jku": idp.url + "/evil", "x5u": idp.url + "/evil"}
        ),
        "crit": with_header(crit=["exp"]),
        "crit empty": with_header(crit=[]),
        "b64 false": with_header(b64=False),
        "a logout token": with_header(typ="logout+jwt"),
        "ECDSA in DER": f"{head}.{body}.{encode(raw)}",
        "r and s zero": idp.token(es, signature=lambda _: bytes(64)),
        "short signature": idp.token(es, signature=lambda message: es.sign(message)[:63]),
        "long signature": idp.token(es, signature=lambda message: es.sign(message) + b"\0"),
        "no signature": f"{head}.{body}.",
        "two parts": f"{head}.{body}",
        "four parts": f"{good}.{signature}",
        "padding": good + "==",
        "another payload": f"{head}.{encode({'iss': idp.url, 'aud': AUDIENCE, 'exp': now + 9})}."
        f"{signature}",
        "not base64": f"{head[:-1]}!.{body}.{signature}",
        "no exp": with_claims(exp=None),
        "exp a string": with_claims(exp=str(now + 300)),
        "exp huge": with_claims(exp=10**30),
        "exp negative": with_claims(exp=-1),
        "exp true": with_claims(exp=True),
        "expired": with_claims(exp=now - 61),
        "not valid yet": with_claims(nbf=now + 120),
        "nbf a string": with_claims(nbf="0"),
        "another audience": with_claims(aud="https://other.example"),
        "no audience": with_claims(aud=None),
        "audience a prefix": with_claims(aud=AUDIENCE + "/"),
        "other audiences": with_claims(aud=["a", "b"]),
        "audience an object": with_claims(aud={AUDIENCE: 1}),
        "another issuer": with_claims(iss="https://evil.example"),
        "no issuer": with_claims(iss=None),
        "issuer a list": with_claims(iss=[idp.url]),
        "alg twice": f"{encode(TWICE)}.{body}.{signature}",
        "not a token": "letmein",
        "dots": "..",
    }


def test_forged_tokens_are_refused(sluice, event, idp):
    server = sluice(auth=idp.config())
    for name, token in forgeries(idp).items():
        answer = post(server, event, token)
        assert answer.status == 401, name
        refused(answer)
    assert post(server, event, idp.token()).status == 200
    assert idp.asked < 10  # forged names of keys do not send it to the issuer each time


def test_the_log_says_why_and_not_what(sluice, event, idp):
    server = sluice(auth=idp.config())
    token = idp.token(exp=1)
    refused(post(server, event, token))
    line = server.wait_log(event="request", status=401)
    assert line["reason"] == "expired"
    assert token.split(".")[1] not in json.dumps(server.log())


def test_an_audience_may_be_one_of_several(sluice, event, idp):
    server = sluice(auth=idp.config())
    assert post(server, event, idp.token(aud=["a", AUDIENCE])).status == 200


def test_clocks_may_differ_by_a_minute(sluice, event, idp):
    server = sluice(auth=idp.config())
    now = time.time()
    assert post(server, event, idp.token(exp=int(now) - 30)).status == 200
    assert post(server, event, idp.token(nbf=now + 30)).status == 200


def test_a_new_key_is_fetched_when_a_token_names_it(sluice, event, rotating):
    server = sluice(auth=rotating.config())
    old = rotating.token()
    assert post(server, event, old).status == 200
    rotating.keys = [Key("ES256", "second")]
    new = rotating.token()
    refused(post(server, event, new))  # at once; EventBridge comes again
    until(lambda: post(server, event, new).status == 200)
    refused(post(server, event, old))  # though it was known: its key is withdrawn


def test_another_key_under_the_same_name_is_found(sluice, event, rotating):
    server = sluice(auth=rotating.config())
    assert post(server, event, rotating.token()).status == 200
    rotating.keys = [Key("ES256", rotating.keys[0].kid)]
    new = rotating.token()
    refused(post(server, event, new))  # at once; EventBridge comes again
    until(lambda: post(server, event, new).status == 200)


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
    """As with Amazon Cognito, whose access tokens name no audience."""
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
    until(lambda: post(server, event, rotating.token()).status == 200)


def test_keys_may_be_in_a_file(sluice, event, folder, idp):
    path = folder / "jwks.json"
    path.write_text(json.dumps({"keys": [idp.keys[2].jwk()]}))
    server = sluice(auth=idp.config(jwks_url="", jwks_file=str(path)))
    assert post(server, event, idp.token(idp.keys[2])).status == 200
    refused(post(server, event, idp.token(idp.keys[3])))
    other = folder / "next.json"
    other.write_text(json.dumps(idp.jwks()))
    other.replace(path)
    until(lambda: post(server, event, idp.token(idp.keys[3])).status == 200)


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
