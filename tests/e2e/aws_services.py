"""The services of AWS that take records, as aws_targets.py emulates them: their requests, limits, faults and answers.

A service is a subclass of Service.
"""

import base64
import dataclasses
import functools
import json
import random
import re
import threading
import urllib.parse

import botocore.session

from aws_signatures import REGION, Refusal

ACCOUNT = "123456789012"
KIB, MIB = 1024, 1024 * 1024


@dataclasses.dataclass
class Stored:
    """A record that arrived: its bytes, and the names that the service keeps with it."""

    data: bytes
    key: str = ""
    more: dict = dataclasses.field(default_factory=dict)


class EntryRefusal(Exception):
    """An entry fails, and the others of its call do not."""

    def __init__(self, code, message="", is_senders=False):
        super().__init__(code)
        self.code, self.message, self.is_senders = code, message, is_senders


@functools.cache
def model_of(service):
    return botocore.session.get_session().get_service_model(service)


def read_data(body):
    """The parameters of a call whose records are in Base64."""
    params = json.loads(body)
    for record in params["Records"]:
        record["Data"] = base64.b64decode(record["Data"], validate=True)
    return params


class Service:
    """Base of the services. Subclasses set the names, `take` and `answer`."""

    kind = None  # of the sink; also the name of botocore's model and for signing, unless that differs
    model = None
    target = None  # X-Amz-Target
    list_name = None  # of the entries in a call
    content_type = "application/x-amz-json-1.1"
    most_entries = 0
    # The names of faults in tests, and the codes of this service.
    ENTRY_FAULTS = {}  # name: (code, is_senders)
    CALL_FAULTS = {}  # name: (status, code)

    def __init__(self):
        self.stored = []
        self.lock = threading.Lock()
        self.signing = self.model = self.model or self.kind
        self.shape = model_of(self.model).operation_model(self.target.split(".")[1]).input_shape

    def sink(self):
        """The keys of the sink that the kind needs."""
        raise NotImplementedError

    def read(self, body):
        """The parameters of a call, as botocore's model has them."""
        return json.loads(body)

    def entries(self, params):
        return params[self.list_name]

    def check(self, params):
        """Refuse the call as a whole. Refusal."""

    def take(self, entry):
        """Store an entry. EntryRefusal."""
        raise NotImplementedError

    def answer(self, outcomes):
        """The answer; an outcome is (position, entry, EntryRefusal or None)."""
        raise NotImplementedError

    @staticmethod
    def by_position(outcomes, good):
        """An answer for each entry; `good` makes that of an entry that was taken."""
        return [
            {"ErrorCode": refusal.code, "ErrorMessage": refusal.message} if refusal else good(number)
            for number, _, refusal in outcomes
        ]

    def error(self, status, code, message):
        """Headers and body of an error."""
        return {}, json.dumps({"__type": code, "message": message}).encode()


class Kinesis(Service):
    kind = "kinesis"
    target = "Kinesis_20131202.PutRecords"
    list_name = "Records"
    most_entries = 500
    most_bytes = 10 * MIB
    ENTRY_FAULTS = {
        "later": ("ProvisionedThroughputExceededException", False),
        "broken": ("InternalFailure", False),
        "unknown": ("SomethingNewException", False),
        "configuration": ("KMSDisabledException", False),
    }
    CALL_FAULTS = {
        "later": (400, "ProvisionedThroughputExceededException"),
        "broken": (500, "InternalFailureException"),
        "unavailable": (503, "ServiceUnavailable"),
        "kms_throttled": (400, "KMSThrottlingException"),
        "unknown": (400, "SomethingNewException"),
        "own": (400, "ValidationException"),
        "configuration": (400, "ResourceNotFoundException"),
        "denied": (400, "AccessDeniedException"),
        "kms": (400, "KMSAccessDeniedException"),
        "expired": (400, "ExpiredTokenException"),
        "clock": (400, "RequestExpired"),
    }

    def sink(self):
        return {"stream": "orders"}

    def read(self, body):
        return read_data(body)

    def check(self, params):
        records = params["Records"]
        if params.get("StreamName", "orders") != "orders":
            raise Refusal("ResourceNotFoundException", f"Stream {params['StreamName']} not found.")
        if len(records) > self.most_entries:
            raise Refusal("ValidationException", f"{len(records)} records")
        sizes = [len(one["Data"]) + len(one["PartitionKey"].encode()) for one in records]
        if sum(sizes) > self.most_bytes:
            raise Refusal("InvalidArgumentException", f"{sum(sizes)} bytes")
        if any(not 1 <= len(one["PartitionKey"]) <= 256 for one in records):
            raise Refusal("ValidationException", "partitionKey")

    def take(self, entry):
        self.stored.append(Stored(entry["Data"], entry["PartitionKey"]))

    def answer(self, outcomes):
        records = self.by_position(
            outcomes, lambda number: {"SequenceNumber": str(number), "ShardId": "shardId-000000000000"}
        )
        failed = sum("ErrorCode" in one for one in records)
        return {"FailedRecordCount": failed, "Records": records, "EncryptionType": "NONE"}


class Sqs(Service):
    kind = "sqs"
    target = "AmazonSQS.SendMessageBatch"
    list_name = "Entries"
    content_type = "application/x-amz-json-1.0"
    most_entries = 10
    most_bytes = MIB
    queue = "orders"
    ENTRY_FAULTS = {
        "later": ("RequestThrottled", True),
        "broken": ("InternalError", False),
        "unknown": ("SomethingNew", False),
        "own": ("InvalidMessageContents", True),
        "own_unknown": ("SomethingNew", True),
        "configuration": ("KmsDisabled", True),
    }
    CALL_FAULTS = {
        "later": (403, "RequestThrottled"),
        "broken": (500, "InternalFailure"),
        "unavailable": (503, "ServiceUnavailable"),
        "kms_throttled": (400, "KmsThrottled"),
        "unknown": (400, "SomethingNew"),
        "own": (400, "BatchRequestTooLong"),
        "configuration": (400, "com.amazonaws.sqs#QueueDoesNotExist"),
        "denied": (403, "AccessDenied"),
        "kms": (400, "KmsAccessDenied"),
        "security": (403, "InvalidSecurity"),
        "expired": (403, "ExpiredToken"),
    }
    REFUSED = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
    ID = re.compile(r"[!-~]{1,128}")

    def __init__(self):
        super().__init__()
        self.seen = set()  # deduplication ids

    @property
    def is_fifo(self):
        return self.queue.endswith(".fifo")

    def sink(self):
        return {"queue_url": f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{self.queue}"}

    @staticmethod
    def size(entry):
        attributes = entry.get("MessageAttributes", {}).items()
        texts = [entry["MessageBody"]] + [
            text for name, one in attributes for text in (name, one["DataType"], one["StringValue"])
        ]
        return sum(len(text.encode()) for text in texts)

    def check(self, params):
        entries = params["Entries"]
        if not params["QueueUrl"].endswith("/" + self.queue):
            raise Refusal("com.amazonaws.sqs#QueueDoesNotExist", params["QueueUrl"])
        if len(entries) > self.most_entries:
            raise Refusal("TooManyEntriesInBatchRequest", f"{len(entries)} entries")
        if len({entry["Id"] for entry in entries}) < len(entries):
            raise Refusal("BatchEntryIdsNotDistinct", "")
        if sum(map(self.size, entries)) > self.most_bytes:
            raise Refusal("BatchRequestTooLong", f"{sum(map(self.size, entries))} bytes")
        for entry in entries:
            for name in ("MessageGroupId", "MessageDeduplicationId"):
                if name in entry and not self.ID.fullmatch(entry[name]):
                    raise Refusal("InvalidParameterValue", name)

    def take(self, entry):
        values = [one["StringValue"] for one in entry.get("MessageAttributes", {}).values()]
        if any(self.REFUSED.search(text) for text in [entry["MessageBody"], *values]):
            raise EntryRefusal("InvalidMessageContents", "invalid characters", True)
        if self.is_fifo:
            if "MessageGroupId" not in entry:
                raise EntryRefusal("MissingParameter", "MessageGroupId", True)
            identity = entry.get("MessageDeduplicationId", entry["MessageBody"])
            if identity in self.seen:
                return
            self.seen.add(identity)
        more = {key: value for key, value in entry.items() if key not in ("Id", "MessageBody")}
        self.stored.append(
            Stored(entry["MessageBody"].encode(), entry.get("MessageGroupId", ""), more)
        )

    def answer(self, outcomes):
        answer = {"Successful": [], "Failed": []}
        for number, entry, refusal in outcomes:
            if refusal:
                answer["Failed"].append(
                    {
                        "Id": entry["Id"],
                        "Code": refusal.code,
                        "Message": refusal.message,
                        "SenderFault": refusal.is_senders,
                    }
                )
            else:
                answer["Successful"].append(
                    {"Id": entry["Id"], "MessageId": str(number), "MD5OfMessageBody": "0" * 32}
                )
        random.shuffle(answer["Successful"])  # the order means nothing
        return {name: list_ for name, list_ in answer.items() if list_}

    def error(self, status, code, message):
        headers, body = super().error(status, code, message)
        return {"x-amzn-query-error": f"AWS.SimpleQueueService.{code};Sender"} | headers, body


class SqsFifo(Sqs):
    queue = "orders.fifo"

    def sink(self):
        return super().sink() | {"group_id": "/queue_id"}


class Firehose(Service):
    kind = "firehose"
    target = "Firehose_20150804.PutRecordBatch"
    list_name = "Records"
    most_entries = 500
    ENTRY_FAULTS = {
        "later": ("ServiceUnavailableException", False),
        "broken": ("InternalFailure", False),
        "unknown": ("SomethingNewException", False),
    }
    CALL_FAULTS = {
        "later": (503, "ServiceUnavailableException"),
        "throttled": (400, "LimitExceededException"),
        "broken": (500, "InternalFailure"),
        "unknown": (400, "SomethingNewException"),
        "own": (400, "InvalidArgumentException"),
        "configuration": (400, "ResourceNotFoundException"),
        "denied": (400, "AccessDeniedException"),
        "kms": (400, "InvalidKMSResourceException"),
        "source": (400, "InvalidSourceException"),
    }

    def sink(self):
        return {"delivery_stream": "orders"}

    def read(self, body):
        return read_data(body)

    def check(self, params):
        sizes = [len(record["Data"]) for record in params["Records"]]
        if len(sizes) > self.most_entries or max(sizes) > 1024000 or sum(sizes) > 4 * MIB:
            raise Refusal("InvalidArgumentException", f"{len(sizes)} records, {sum(sizes)} bytes")

    def take(self, entry):
        if not entry["Data"].endswith(b"\n"):
            raise EntryRefusal("InvalidArgumentException", "no newline")
        self.stored.append(Stored(entry["Data"]))

    def answer(self, outcomes):
        entries = self.by_position(outcomes, lambda number: {"RecordId": f"r{number}"})
        return {
            "FailedPutCount": sum("ErrorCode" in one for one in entries),
            "Encrypted": False,
            "RequestResponses": entries,
        }


class EventBridge(Service):
    kind = "eventbridge"
    model = "events"
    target = "AWSEvents.PutEvents"
    list_name = "Entries"
    most_entries = 10
    ENTRY_FAULTS = {
        "later": ("ThrottlingException", False),
        "broken": ("InternalFailure", False),
        "unknown": ("SomethingNew", False),
        "own": ("MalformedDetail", False),
        "configuration": ("NotAuthorizedForSource", False),
    }
    CALL_FAULTS = {
        "later": (400, "ThrottlingException"),
        "broken": (500, "InternalException"),
        "unknown": (400, "SomethingNew"),
        "own": (400, "ValidationException"),
        "configuration": (400, "ResourceNotFoundException"),
        "denied": (400, "AccessDeniedException"),
    }

    def sink(self):
        return {"bus": "orders", "source": "sluice", "detail_type": "record of {/queue_id}"}

    @staticmethod
    def size(entry):
        texts = ("Source", "DetailType", "Detail")
        return 14 * ("Time" in entry) + sum(len(entry[name].encode()) for name in texts)

    def check(self, params):
        if len(params["Entries"]) > self.most_entries:
            raise Refusal("ValidationException", f"{len(params['Entries'])} entries")
        if sum(map(self.size, params["Entries"])) > MIB:
            raise Refusal("ValidationException", "Total size of the entries in the request")

    def take(self, entry):
        if entry["Source"].startswith("aws.") or len(entry["DetailType"]) > 128:
            raise EntryRefusal("InvalidArgument", entry["Source"])
        if not isinstance(json.loads(entry["Detail"]), dict):
            raise EntryRefusal("MalformedDetail", "Detail is malformed.")
        more = {name: entry[name] for name in entry if name != "Detail"}
        self.stored.append(Stored(entry["Detail"].encode(), more=more))

    def answer(self, outcomes):
        entries = self.by_position(outcomes, lambda number: {"EventId": f"e{number}"})
        failed = sum("ErrorCode" in one for one in entries)
        return {"FailedEntryCount": failed, "Entries": entries}


class Sns(Sqs):
    """SNS speaks the query protocol: a form, and XML."""

    kind = "sns"
    target = ".PublishBatch"
    list_name = "PublishBatchRequestEntries"
    content_type = "application/x-www-form-urlencoded; charset=utf-8"
    most_bytes = 256 * KIB
    queue = "orders"
    CALL_FAULTS = {
        "later": (400, "Throttled"),
        "broken": (500, "InternalError"),
        "kms_throttled": (400, "KMSThrottling"),
        "unknown": (400, "SomethingNew"),
        "own": (400, "BatchRequestTooLong"),
        "configuration": (404, "NotFound"),
        "denied": (403, "AuthorizationError"),
        "kms": (400, "KMSAccessDenied"),
    }
    ENTRY_FAULTS = {
        "later": ("Throttled", True),
        "broken": ("InternalError", False),
        "own": ("InvalidParameter", True),
        "configuration": ("KMSDisabled", True),
    }

    def sink(self):
        return {"topic_arn": f"arn:aws:sns:{REGION}:{ACCOUNT}:{self.queue}"}

    def read(self, body):
        form = dict(urllib.parse.parse_qsl(body.decode(), strict_parsing=True))
        if (form.pop("Action"), form.pop("Version")) != ("PublishBatch", "2010-03-31"):
            raise Refusal("InvalidAction", "")
        entries = {}
        for name, value in form.items():
            if name == "TopicArn":
                continue
            at, rest = re.fullmatch(r"PublishBatchRequestEntries\.member\.(\d+)\.(.+)", name).groups()
            entry = entries.setdefault(int(at), {})
            attribute = re.fullmatch(r"MessageAttributes\.entry\.(\d+)\.(?:Value\.)?(\w+)", rest)
            if attribute:
                entry.setdefault("attributes", {}).setdefault(attribute[1], {})[attribute[2]] = value
            else:
                entry[rest] = value
        for entry in entries.values():
            if "attributes" in entry:
                entry["MessageAttributes"] = {
                    one.pop("Name"): one for one in entry.pop("attributes").values()
                }
        assert list(entries) == list(range(1, len(entries) + 1))
        return {
            "TopicArn": form["TopicArn"],
            "PublishBatchRequestEntries": list(entries.values()),
        }

    def check(self, params):
        entries = [self.message(entry) for entry in self.entries(params)]
        super().check({"QueueUrl": "/" + params["TopicArn"].split(":")[-1], "Entries": entries})

    @staticmethod
    def message(entry):
        return {"MessageBody" if name == "Message" else name: entry[name] for name in entry}

    def take(self, entry):
        super().take(self.message(entry))

    def answer(self, outcomes):
        answer = super().answer(outcomes)
        lists = "".join(
            f"<{name}>{''.join(map(self.member, entries))}</{name}>" for name, entries in answer.items()
        )
        return (
            '<PublishBatchResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishBatchResult>'
            f"{lists}</PublishBatchResult></PublishBatchResponse>"
        ).encode()

    @staticmethod
    def member(entry):
        texts = {name: str(value).lower() if value in (True, False) else value for name, value in entry.items()}
        return f"<member>{''.join(f'<{name}>{text}</{name}>' for name, text in texts.items())}</member>"

    def error(self, status, code, message):
        return {}, (
            '<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><Error><Type>Sender</Type>'
            f"<Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
        ).encode()


class SnsFifo(Sns):
    queue = "orders.fifo"

    def sink(self):
        return super().sink() | {"group_id": "/queue_id"}


class DynamoDb(Service):
    """A table with the key `id`; its items in the order in which they were written."""

    kind = "dynamodb"
    content_type = "application/x-amz-json-1.0"
    most_entries = 25
    table = "orders"
    CALL_FAULTS = {
        "later": (400, "ProvisionedThroughputExceededException"),
        "limit": (400, "RequestLimitExceeded"),
        "broken": (500, "InternalServerError"),
        "conflict": (409, "ReplicatedWriteConflictException"),
        "unknown": (400, "SomethingNewException"),
        "own": (400, "ValidationException"),
        "configuration": (400, "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException"),
        "denied": (400, "AccessDeniedException"),
    }

    def sink(self):
        return {"table": self.table, "hash_key": {"id": ""}}

    @staticmethod
    def size(item):
        return sum(len(name.encode()) + len(next(iter(value.values()))) for name, value in item.items())

    def put(self, item):
        if self.size(item) > 400 * KIB:
            raise Refusal("ValidationException", "Item size has exceeded the maximum allowed size")
        self.stored.append(Stored(item["record"]["S"].encode(), item["id"]["S"], item))

    def find(self, key):
        return next((one for one in self.stored if one.key == key), None)


class DynamoInsert(DynamoDb):
    target = "DynamoDB_20120810.BatchExecuteStatement"
    list_name = "Statements"
    STATEMENT = re.compile(r"""INSERT INTO "orders" VALUE \{('\w+': \?(?:, '\w+': \?)*)\}""")
    ENTRY_FAULTS = {
        "later": ("ThrottlingError", False),
        "broken": ("InternalServerError", False),
        "conflict": ("TransactionConflict", False),
        "unknown": ("SomethingNew", False),
        "own": ("ValidationError", False),
        "configuration": ("AccessDenied", False),
    }

    def item(self, entry):
        names = re.findall(r"'(\w+)'", self.STATEMENT.fullmatch(entry["Statement"])[1])
        return dict(zip(names, entry["Parameters"], strict=True))

    def check(self, params):
        entries = params["Statements"]
        keys = [self.item(entry)["id"]["S"] for entry in entries]
        if len(entries) > self.most_entries or len(set(keys)) < len(keys):
            raise Refusal("ValidationException", f"{len(entries)} statements, keys {keys}")

    def take(self, entry):
        item = self.item(entry)
        there = self.find(item["id"]["S"])
        if there:
            raise EntryRefusal("DuplicateItem", there.more)
        self.put(item)

    def answer(self, outcomes):
        responses = []
        for _, _, refusal in outcomes:
            error = {}
            if refusal:
                error = {"Error": {"Code": refusal.code, "Message": "told by the test"}}
                if refusal.code == "DuplicateItem":
                    error["Error"] |= {"Message": "Duplicate primary key", "Item": refusal.message}
            responses.append({"TableName": "orders"} | error)
        return {"Responses": responses}


class DynamoReplace(DynamoDb):
    target = "DynamoDB_20120810.BatchWriteItem"
    ENTRY_FAULTS = {"later": ("UnprocessedItems", False)}

    def sink(self):
        return super().sink() | {"mode": "replace"}

    def entries(self, params):
        return params["RequestItems"][self.table]

    def check(self, params):
        keys = [entry["PutRequest"]["Item"]["id"]["S"] for entry in self.entries(params)]
        if len(keys) > self.most_entries or len(set(keys)) < len(keys):
            raise Refusal("ValidationException", "Provided list of item keys contains duplicates")

    def take(self, entry):
        item = entry["PutRequest"]["Item"]
        there = self.find(item["id"]["S"])
        if there:
            self.stored.remove(there)
        self.put(item)

    def answer(self, outcomes):
        unwritten = [entry for _, entry, refusal in outcomes if refusal]
        random.shuffle(unwritten)
        return {"UnprocessedItems": {self.table: unwritten} if unwritten else {}}
