"""The fixtures of tests/e2e, and a broker of Apache Kafka."""

import importlib.util
import pathlib
import sys

import pytest

E2E = pathlib.Path(__file__).resolve().parents[1] / "e2e"
sys.path.insert(0, str(E2E))
spec = importlib.util.spec_from_file_location("e2e_fixtures", E2E / "conftest.py")
fixtures = importlib.util.module_from_spec(spec)
spec.loader.exec_module(fixtures)
event, folder, secret, sluice = fixtures.event, fixtures.folder, fixtures.secret, fixtures.sluice

# pylint: disable=wrong-import-position
from broker import Broker
from kafka_library import lib

NEW, OLD = "4.1.2", "3.9.1"
SCRAM_OF_NEW = 0x020601FF  # the first version of librdkafka whose SCRAM the new broker accepts


@pytest.fixture(scope="session")
def broker(tmp_path_factory):
    """One broker for all tests; each test makes a topic of its own."""
    one = Broker(tmp_path_factory.mktemp("broker"), NEW)
    yield one
    one.close()


@pytest.fixture(scope="session")
def scram_broker(request, tmp_path_factory):
    if lib.rd_kafka_version() >= SCRAM_OF_NEW:
        yield request.getfixturevalue("broker")
        return
    one = Broker(tmp_path_factory.mktemp("old"), OLD)
    yield one
    one.close()
