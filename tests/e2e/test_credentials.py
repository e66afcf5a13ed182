"""API keys and Basic from outside: every odd way to write a header, and none opens the door that
should not."""

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
    """The answer's status to these header lines, as bytes and as often as given."""
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


def test_good_ones_in_every_spelling(guarded, event):
    for lines in [
        [b"x-api-key: " + KEY.encode()],
        [b"X-API-KEY:" + KEY.encode()],
        [b"X-Api-Key: \t " + KEY.encode() + b" \t"],
        [GOOD],
        [b"AUTHORIZATION: bAsIc   " + TOKEN],
        [b"X-Api-Key: wrong", GOOD],
        [b"Authorization: Basic wrong", b"X-Api-Key: " + KEY.encode()],
        [b"Authorization: Bearer a.b.c", b"X-Api-Key: " + KEY.encode()],
        [b"X-Api-Key: " + KEY.encode(), b"X-Api-Key: wrong"],  # the first one counts
    ]:
        assert status(guarded, event, *lines) == 200, lines


def test_bad_ones_in_every_spelling(guarded, event):
    key = KEY.encode()
    for lines in [
        [],
        [b"X-Api-Key:"],
        [b"X-Api-Key: "],
        [b"X-Api-Key: wrong", b"X-Api-Key: " + key],
        [b"X-Api-Key: " + key.upper()],
        [b"X-Api-Key: " + key.lower()],
        [b"X-Api-Key: " + key + b"," + key],
        [b'X-Api-Key: "' + key + b'"'],
        [b"X-Api-Key: " + key[:-1]],
        [b"X-Api-Key: " + key + b"\xc2\xa0"],
        [b"X-Api-Key: \xef\xbb\xbf" + key],
        [b"X-Api-Key: " + base64.b64encode(key)],
        [b"X-Api-Keys: " + key],
        [b"X_Api_Key: " + key],
        [b"Api-Key: " + key],
        [b"Cookie: x-api-key=" + key],
        [b"Authorization: " + key],
        [b"Authorization: ApiKey " + key],
        [b"Authorization: Bearer " + key],
        [b"X-Api-Key: " + b"a" * 6000],
        [b"Authorization:"],
        [b"Authorization: Basic"],
        [b"Authorization: Basic " + TOKEN[:-1]],
        [b"Authorization: Basic " + TOKEN.rstrip(b"=") + b"===="],
        [b"Authorization: Basic " + TOKEN + b" " + TOKEN],
        [b"Authorization: Basic " + TOKEN + b", Basic " + TOKEN],
        [b"Authorization: Basic\t" + TOKEN],
        [b"Authorization: Basic" + TOKEN],
        [b"Proxy-Authorization: Basic " + TOKEN],
        [basic(USER, PASSWORD, "latin-1")],
        [basic(USER.upper(), PASSWORD)],
        [basic("", PASSWORD)],
        [basic(USER, "")],
        [basic(USER, PASSWORD + "\n")],
        [basic(USER, PASSWORD + "\0")],
        [basic(USER + ":", PASSWORD)],
        [basic(USER, PASSWORD.split(":", maxsplit=1)[0])],
        [basic(f"{USER}:pä", "ss wörd ")],
    ]:
        assert status(guarded, event, *lines) == 401, lines


def test_the_log_says_why_and_not_what(guarded, event):
    for number, (line, reason) in enumerate(
        [
            (b"X-Other: nothing", "credential absent"),
            (b"X-Api-Key: tried-this", "credential wrong"),
            (basic(USER, "tried-this"), "credential wrong"),
        ]
    ):
        assert status(guarded, event, line, b"X-Request-Id: r%d" % number) == 401
        assert guarded.wait_log(request_id=f"r{number}")["reason"] == reason
    assert "tried-this" not in json.dumps(guarded.log())


def test_control_characters_are_bad_framing(guarded, event):
    """They are no part of any header value (RFC 9110, 5.5); the right key beside them is no help."""
    for byte in (b"\x01", b"\x0b", b"\x7f"):
        assert status(guarded, event, b"X-Api-Key: " + KEY.encode() + byte) == 400, byte


def test_authorization_comes_once(guarded, event):
    """Or a proxy in front might have looked at the other one."""
    for lines in ([GOOD, GOOD], [b"Authorization: Basic wrong", GOOD], [GOOD, b"Authorization: x"]):
        assert status(guarded, event, *lines) == 400, lines


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
