"""Content of requests is not disclosed: every header, value, key and query contains a mark, which may be only
in the answers that contain it by contract."""

import json
import string

import pytest

from issuer import Issuer
from server import run

# Marks without characters that are escaped. Each contains the name of its place.
VALUE, KEY, HEADER, NAME, QUERY, SECRET, ID = (
    f"mark{kind}{string.hexdigits}"
    for kind in ("value", "key", "header", "name", "query", "secret", "id")
)
SENT = [VALUE, KEY, HEADER, NAME, QUERY, SECRET, ID]
STRANGE_ID = f"{ID} is no identifier"  # in the answer, as every id, but not logged
EMAIL = "mark.person@example.com"
NUMBER = 48151623424815162342

MARKED_HEADERS = {
    f"X-{NAME}": HEADER,
    "User-Agent": HEADER,
    "Cookie": f"{NAME}={HEADER}",
    "Referer": f"https://{HEADER}/",
    "Origin": HEADER,
    "From": HEADER,
    "Via": HEADER,
    "Forwarded": f"for={HEADER}",
    "X-Forwarded-For": HEADER,
    "X-Real-Ip": HEADER,
    "Range": f"bytes={HEADER}",
    "Accept": HEADER,
    "Accept-Language": HEADER,
    "If-None-Match": HEADER,
    "X-Request-Id": f"{HEADER} is no id",
    "X-Amzn-Trace-Id": f"Root={HEADER} is no id",
    "Traceparent": HEADER,
    "Tracestate": HEADER,
    "Baggage": HEADER,
    "Host": HEADER,
}


def marked(value):
    """Replace every string by a mark, and add a member or element with marks everywhere."""
    if isinstance(value, dict):
        return {key: marked(part) for key, part in value.items()} | {KEY: VALUE}
    if isinstance(value, list):
        return [marked(part) for part in value] + [VALUE]
    return VALUE if isinstance(value, str) else value


def bodies(event):
    """Request bodies, by the kind of their outcome."""
    interaction = event["detail"]["interaction"]
    good = marked(event) | {"id": event["id"]}
    person = {"email": EMAIL, "name": VALUE, "account": NUMBER}
    good["detail"]["interaction"]["customer"] = person
    return {
        "valid": good,
        "valid, a strange id": good | {"id": STRANGE_ID},
        "valid, all at the top": {**good, KEY: {KEY: [VALUE, NUMBER]}},
        "wrong type": {**good, "detail": {"interaction": {**interaction, "id": [VALUE, NUMBER]}}},
        "all of the wrong type": {**good, "detail": {"interaction": {k: [VALUE] for k in interaction}}},
        "missing": {**good, "detail": {"interaction": {KEY: VALUE}}},
        "no object": {**good, "detail": VALUE},
        "a number": {**good, "detail": NUMBER},
        "a list": {**good, "detail": [VALUE]},
        "transform": {**good, "detail": {"interaction": {**interaction, "id": ""}, KEY: VALUE}},
        "no detail": {KEY: VALUE},
        "a string": VALUE,
        "not JSON": f'{{"{KEY}":"{VALUE}"',
        "a word": VALUE.encode(),
        "twice": f'{{"detail":{{"a":1,"a":"{VALUE}"}}}}',
        "a control character": f'{{"detail":"{VALUE}\n"}}',
        "not UTF-8": b'{"detail":"' + VALUE.encode() + b'\xff"}',
        "array": [good, {"detail": VALUE}, VALUE, {"id": STRANGE_ID, "detail": {KEY: VALUE}}],
    }


def reveals(text, marks):
    """The marks that the text contains."""
    lower = text.lower()
    return [mark for mark in marks if mark.lower() in lower]


def values_in(text):
    return reveals(text, [VALUE, HEADER, NAME, QUERY, SECRET, EMAIL, str(NUMBER)])


def provoke(server, event, credential):
    """Send requests of every kind, including refused ones. Returns the answers by name."""
    answers = {}
    target = f"/events?{QUERY}={QUERY}"
    headers = MARKED_HEADERS | credential
    for name, body in bodies(event).items():
        answers[name] = server.post(body, target, headers)
    body = bodies(event)["valid"]
    answers["no credential"] = server.post(body, target, MARKED_HEADERS)
    answers["bad key"] = server.post(body, target, MARKED_HEADERS | {"X-Api-Key": HEADER})
    for scheme in ("Basic", "Bearer", "Digest", HEADER):
        answers[f"bad {scheme}"] = server.post(
            body, target, MARKED_HEADERS | {"Authorization": f"{scheme} {HEADER}"}
        )
    answers["type"] = server.post(body, target, headers | {"Content-Type": f"text/{HEADER}"})
    answers["coding"] = server.post(body, target, headers | {"Content-Encoding": HEADER})
    answers["path"] = server.post(body, f"/{QUERY}", headers)
    answers["method"] = server.request("PUT", target, body, headers)
    answers["unknown method"] = server.raw(
        f"{QUERY} /events HTTP/1.1\r\nHost: {HEADER}\r\n\r\n".encode()
    )
    answers["long body"] = server.post(VALUE * 3000, target, headers)
    answers["framing"] = server.raw(
        f"POST {target} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: {HEADER}\r\n\r\n".encode()
    )
    for path in ("/", "/healthz", "/readyz"):
        answers[path] = server.get(f"{path}?{QUERY}", headers)
    return answers


@pytest.fixture(scope="module")
def idp():
    server = Issuer("ES256")
    yield server
    server.close()


def start(sluice, secret, idp, form, store):
    auth = idp.config() | {
        "api_keys": [{"header": "x-api-key", "value_file": secret(SECRET)}],
        "basic": [{"user": "eve", "password_file": secret(SECRET + "2")}],
    }
    http = {"respond": "receipt", "max_body": "64KiB"}
    log = {"level": "debug", "format": form}
    return sluice(http=http, auth=auth, log=log, store={"path": store})


@pytest.mark.parametrize(("form", "store"), [("json", ""), ("text", ""), ("json", "var/s.db")])
def test_nothing_sent_comes_out(sluice, event, secret, idp, form, store):
    server = start(sluice, secret, idp, form, store)
    credentials = [
        {"X-Api-Key": SECRET},
        {"Authorization": f"Bearer {idp.token(sub=SECRET, scope=VALUE)}"},
    ]
    statuses = set()
    for credential in credentials:
        answers = provoke(server, event, credential)
        statuses |= {answer.status for answer in answers.values()}
        for name, answer in answers.items():
            text = answer.body.decode() + json.dumps(answer.headers)
            assert not values_in(text), name
            token = credential.get("Authorization", SECRET)
            assert token.split(".")[-1] not in text
    assert statuses >= {200, 400, 401, 404, 405, 413, 415, 501}

    metrics = server.get(f"/metrics?{QUERY}", MARKED_HEADERS).body.decode()
    assert "sluice_http_requests_total" in metrics
    assert not reveals(metrics, SENT + [EMAIL, str(NUMBER)])

    if store:
        for words in (["list", "--all"], ["list", "--all", "--json"]):
            listing = run("rejected", *words, "-c", server.file, cwd=server.folder)
            assert "schema_invalid" in listing.stdout and not listing.stderr
            assert not reveals(listing.stdout, SENT + [EMAIL, str(NUMBER)])

    server.stop()
    log = "".join(filter(None, server.lines))
    assert log.count("request") >= 2 * len(bodies(event))
    assert not reveals(log, SENT + [EMAIL, str(NUMBER)])
    for credential in credentials:
        for value in credential.values():
            assert value.split(".")[-1] not in log
    assert not server.stderr()


def test_values_are_shown_only_when_asked_for(sluice, event):
    """Without redaction the same answer contains the value, which proves that the marks work."""
    told = bodies(event)["wrong type"]
    assert not values_in(sluice().post(told).body.decode())
    open_hearted = sluice(validation={"redact_values": False})
    assert VALUE in open_hearted.post(told).body.decode()
    open_hearted.stop()
    assert not reveals("".join(filter(None, open_hearted.lines)), SENT)


def test_a_record_is_the_answer_only_by_default(sluice, event):
    """`respond: record` answers with the customer's data, `receipt` does not."""
    answer = sluice().post(event)
    assert event["detail"]["interaction"]["customer"]["email"] in answer.body.decode()
    receipt = sluice(http={"respond": "receipt"}).post(event)
    assert receipt.json == {"id": event["id"], "status": "accepted"}
