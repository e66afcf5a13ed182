"""The same job with uvicorn, uvloop and jsonschema: validate, transform, answer, one log line.

    SCHEMA=... LOG=... uvicorn app:app --loop uvloop --http httptools --no-access-log
"""

import datetime
import json
import logging
import os
import pathlib
import uuid

import jsonschema

VALIDATOR = jsonschema.Draft202012Validator(json.loads(pathlib.Path(os.environ["SCHEMA"]).read_text()))
LOG = logging.getLogger("events")
LOG.setLevel(logging.INFO)
LOG.propagate = False
LOG.addHandler(logging.FileHandler(os.environ["LOG"]))


def transform(detail):
    interaction = detail["interaction"]
    routing = interaction.get("routing", {})
    customer = interaction.get("customer", {})
    return {
        "interaction_id": interaction["id"],
        "start_time": interaction["start_time"],
        "channel_type": interaction.get("channel_type"),
        "queue_id": routing.get("queue_id"),
        "queue_name": routing.get("queue_name"),
        "customer_email": customer.get("email"),
        "customer_name": customer.get("name"),
        "attributes": interaction.get("attributes", {}),
        "processed_at": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
    }


def process(body):
    """Status, answer and event id."""
    try:
        event = json.loads(body)
    except ValueError as error:
        return 400, {"error": "Processing failed", "details": str(error)}, None
    if not isinstance(event, dict) or "detail" not in event:
        details = "Invalid EventBridge payload: missing 'detail' key"
        return 400, {"error": "Processing failed", "details": details}, None
    error = next(VALIDATOR.iter_errors(event["detail"]), None)
    if error:
        return 400, {"error": "Schema validation failed", "details": error.message}, event.get("id")
    return 200, transform(event["detail"]), event.get("id")


async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    status, answer, event_id = process(body)
    request_id = str(uuid.uuid4())
    line = {"event": "request", "request_id": request_id, "event_id": event_id, "method": "POST"}
    LOG.info(json.dumps(line | {"path": "/events", "status": status}))
    headers = [
        (b"content-type", b"application/json"),
        (b"x-request-id", request_id.encode()),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(answer).encode()})
