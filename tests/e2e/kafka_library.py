"""librdkafka, which the server is linked with: its mock cluster, and a reader of topics."""

import collections
import ctypes

lib = ctypes.CDLL("librdkafka.so.1")

VERSION = lib.rd_kafka_version() >> 8  # 0x020800: 2.8.0

PRODUCER, CONSUMER = 0, 1
EOF = -191  # RD_KAFKA_RESP_ERR__PARTITION_EOF
BEGINNING = -2
PRODUCE = 0  # the API's key
ALL = -1

Message = collections.namedtuple("Message", "partition offset key headers value")


class Raw(ctypes.Structure):
    """rd_kafka_message_t"""

    _fields_ = [
        ("err", ctypes.c_int),
        ("topic", ctypes.c_void_p),
        ("partition", ctypes.c_int32),
        ("payload", ctypes.c_void_p),
        ("len", ctypes.c_size_t),
        ("key", ctypes.c_void_p),
        ("key_len", ctypes.c_size_t),
        ("offset", ctypes.c_int64),
    ]


class Partition(ctypes.Structure):
    """rd_kafka_topic_partition_t, its beginning"""

    _fields_ = [
        ("topic", ctypes.c_char_p),
        ("partition", ctypes.c_int32),
        ("offset", ctypes.c_int64),
    ]


class Topic(ctypes.Structure):
    """rd_kafka_metadata_topic_t, its beginning"""

    _fields_ = [("topic", ctypes.c_char_p), ("partition_count", ctypes.c_int)]


class Metadata(ctypes.Structure):
    """rd_kafka_metadata_t, its beginning"""

    _fields_ = [
        ("broker_count", ctypes.c_int),
        ("brokers", ctypes.c_void_p),
        ("topic_count", ctypes.c_int),
        ("topics", ctypes.POINTER(Topic)),
    ]


POINTERS = (
    "conf_new new mock_cluster_new mock_cluster_bootstraps topic_partition_list_new topic_new consumer_poll"
).split()
for function in POINTERS:
    getattr(lib, f"rd_kafka_{function}").restype = ctypes.c_void_p
lib.rd_kafka_consumer_poll.restype = ctypes.POINTER(Raw)
lib.rd_kafka_mock_cluster_bootstraps.restype = ctypes.c_char_p
lib.rd_kafka_err2name.restype = ctypes.c_char_p
lib.rd_kafka_topic_partition_list_add.restype = ctypes.POINTER(Partition)


def call(function, *args):
    """Call rd_kafka_FUNCTION. Integers above 32 bits are pointers, text is UTF-8."""

    def convert(value):
        if isinstance(value, str):
            return value.encode()
        return ctypes.c_void_p(value) if isinstance(value, int) and value > 2**31 else value

    return getattr(lib, f"rd_kafka_{function}")(*map(convert, args))


def create(kind, settings):
    """A client without lines on standard error."""
    conf = call("conf_new")
    text = ctypes.create_string_buffer(512)
    for key, value in {"log_level": "0", **settings}.items():
        assert call("conf_set", conf, key, value, text, len(text)) == 0, text.value
    client = call("new", kind, conf, text, len(text))
    assert client, text.value
    return client


class Mock:
    """A cluster of one broker in this process, with one topic."""

    def __init__(self, topic="records", partitions=3):
        self.topic, self.partitions = topic, partitions
        self.handle = create(PRODUCER, {})
        self.cluster = call("mock_cluster_new", self.handle, 1)
        self.brokers = call("mock_cluster_bootstraps", self.cluster).decode()
        assert call("mock_topic_create", self.cluster, topic, partitions, 1) == 0

    def close(self):
        call("mock_cluster_destroy", self.cluster)
        call("destroy", self.handle)

    def set_down(self):
        assert call("mock_broker_set_down", self.cluster, ALL) == 0

    def set_up(self):
        assert call("mock_broker_set_up", self.cluster, ALL) == 0

    def set_delay(self, milliseconds):
        assert call("mock_broker_set_rtt", self.cluster, ALL, milliseconds) == 0

    def set_topic_error(self, code):
        """Of its metadata."""
        call("mock_topic_set_error", self.cluster, self.topic, code)

    def fail(self, *codes):
        """Answer the next produce requests with these codes of Kafka's protocol."""
        errors = (ctypes.c_int * len(codes))(*codes)
        call("mock_push_request_errors_array", self.cluster, PRODUCE, len(codes), errors)

    def read(self):
        return read(self.brokers, self.topic, self.partitions)


def partition_count(client, name):
    """How many partitions the topic has; 0: there is no such topic yet, and the broker may make it."""
    topic = call("topic_new", client, name, None)
    found = ctypes.POINTER(Metadata)()
    count = 0
    if call("metadata", client, 0, topic, ctypes.byref(found), 10000) == 0:
        count = found[0].topics[0].partition_count
        call("metadata_destroy", found)
    call("topic_destroy", topic)
    return count


def headers_of(message):
    """The headers as (name, value)."""
    headers = ctypes.c_void_p()
    if call("message_headers", message, ctypes.byref(headers)) != 0:
        return []
    name, value, size = ctypes.c_char_p(), ctypes.c_void_p(), ctypes.c_size_t()
    places = [ctypes.byref(place) for place in (name, value, size)]
    found = []
    while lib.rd_kafka_header_get_all(headers, ctypes.c_size_t(len(found)), *places) == 0:
        found.append((name.value.decode(), ctypes.string_at(value.value, size.value).decode()))
    return found


def read(brokers, topic, partitions, settings=None):
    """All messages of the topic, partition by partition."""
    client = create(
        CONSUMER,
        {
            "bootstrap.servers": brokers,
            "group.id": "reader",
            "enable.auto.commit": "false",
            "enable.partition.eof": "true",
            "fetch.wait.max.ms": "10",
            **(settings or {}),
        },
    )
    places = call("topic_partition_list_new", partitions)
    for number in range(partitions):
        call("topic_partition_list_add", places, topic, number)[0].offset = BEGINNING
    assert call("assign", client, places) == 0
    call("topic_partition_list_destroy", places)
    found, ended = [], set()
    while len(ended) < partitions:
        message = call("consumer_poll", client, 30000)
        assert message, "the topic cannot be read"
        raw = message[0]
        if raw.err == EOF:
            ended.add(raw.partition)
        elif raw.err == 0:
            key = ctypes.string_at(raw.key, raw.key_len).decode()
            value = ctypes.string_at(raw.payload, raw.len)
            found.append(Message(raw.partition, raw.offset, key, headers_of(message), value))
        call("message_destroy", message)
    call("consumer_close", client)
    call("destroy", client)
    return sorted(found)
