"""API keys and Basic credentials in headers.

tests/unit/handlers/auth/test_auth.c tests which values match."""

import base64
import json

import pytest

from client import request

KEY = "alpha-Key_1"
USER, PASSWORD = "eve", "pä:ss wörd"


@pytest.fixture
def guarded(sluice, secret):
    return sluice(
        auth={
            "api_keys": [{"header": "x-api-key", "value_file": secret(KEY + "\n")}],
            "basic": [{"user": USER, "password_file": secret(PASSWORD + "\r\n")}],
        }
    )


def status(server, event, *lines):
    """The status of the answer to a request with exactly these header lines (bytes)."""
    body = json.dumps(event).encode()
    head = request("POST", "/events", body).partition(b"\r\n\r\n")[0]
    with server.connect() as connection:
        connection.send(b"\r\n".join([head, *lines]) + b"\r\n\r\n" + body)
        return connection.answer().status


def basic(user, password, encoding="utf-8"):
    pair = f"{user}:{password}".encode(encoding)
    return b"Authorization: Basic " + base64.b64encode(pair)


GOOD = basic(USER, PASSWORD)
TOKEN = GOOD.split()[-1]


def test_accepted_headers(guarded, event):
    for lines in [
        [b"x-api-key: " + KEY.encode()],
        [b"X-Api-Key: \t " + KEY.encode() + b" \t"],
        [b"AUTHORIZATION: bAsIc   " + TOKEN],
        [b"X-Api-Key: wrong", GOOD],
        [b"Authorization: Bearer a.b.c", b"X-Api-Key: " + KEY.encode()],
        [b"X-Api-Key: " + KEY.encode(), b"X-Api-Key: wrong"],  # the first one counts
    ]:
        assert status(guarded, event, *lines) == 200, lines


def test_refused_headers(guarded, event):
    key = KEY.encode()
    for lines in [
        [],
        [b"X-Api-Key:"],
        [b"X-Api-Key: wrong", b"X-Api-Key: " + key],
        [b"X-Api-Key: " + key + b"," + key],
        [b"X-Api-Key: " + key + b"\xc2\xa0"],
        [b"X-Api-Key: " + b"a" * 6000],
        [b"X_Api_Key: " + key],
        [b"Cookie: x-api-key=" + key],
        [b"Authorization: ApiKey " + key],
        [b"Authorization: Basic"],
        [b"Authorization: Basic " + TOKEN + b", Basic " + TOKEN],
        [b"Authorization: Basic\t" + TOKEN],
        [b"Proxy-Authorization: Basic " + TOKEN],
        [basic(USER, PASSWORD, "latin-1")],
    ]:
        assert status(guarded, event, *lines) == 401, lines
    answer = guarded.post(b"not json")  # the body of an unauthorized request is not parsed
    assert (answer.status, answer.json) == (401, {"error": "Unauthorized"})
    assert answer.header("WWW-Authenticate").startswith("Basic ")
    assert guarded.get("/readyz").status == 200


def test_the_query_is_no_place_for_a_key(guarded, event):
    answer = guarded.post(event, f"/events?x-api-key={KEY}&api_key={KEY}")
    assert answer.status == 401
    assert guarded.post({**event, "x-api-key": KEY}).status == 401


def test_a_header_of_any_name_can_carry_the_key(sluice, event, secret):
    names = ["authorization", "x-functions-key", "X!#$%&'*+-.^_`|~9"]
    keys = [{"header": name, "value_file": secret(f"Token {n}")} for n, name in enumerate(names)]
    server = sluice(auth={"api_keys": keys})
    for n, name in enumerate(names):
        assert server.post(event, headers={name: f"Token {n}"}).status == 200
        assert server.post(event, headers={name: f"token {n}"}).status == 401
        assert server.post(event, headers={name: f"Token {n + 1}"}).status == 401
