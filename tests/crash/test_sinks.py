"""Failing sinks do not change the answers, and no record is lost."""

import ssl
import subprocess
import time

import pytest

from load import Concurrent, Sequential, Wrong
from receiver import Receiver
from server import SLOW
from trial import Trial, long_only, long_row

HOOK = {"batch": 20, "in_flight": 4, "timeout": "1s", "max_backoff": "1s"}
WELL = Receiver.__init__.__defaults__[0]

FAULTS = {
    "hangs": lambda number, records: "hang",
    "every second one fails": lambda number, records: 200 if number % 2 else 503,
    "takes and drops": lambda number, records: "late" if number % 2 else 200,
    "429": lambda number, records: 429,
    "500": lambda number, records: 500,
    "401": lambda number, records: 401,
    "301": lambda number, records: 301,
    "drops": lambda number, records: "drop",
}
SHORT = ("hangs", "every second one fails", "takes and drops", "429")


def check_callers(trial):
    """All answers are 200 or 400: a failing sink must not cause a 503."""
    strange = {
        status: count for status, count in trial.ledger.counts.items() if status not in (200, 400)
    }
    if strange:
        trial.ledger.complain(f"callers were told {strange}")


@pytest.mark.parametrize(
    "fault", [fault if fault in SHORT else long_row(fault) for fault in FAULTS]
)
def test_a_failing_receiver_is_nobodys_loss(tmp_path, seed, rng, tell, fault):
    with Trial(tmp_path, seed, rng, hook=HOOK) as trial:
        trial.world.start()
        trial.crowd.start(pause=0.005)
        for _ in range(2):
            trial.receiver.behave = FAULTS[fault]
            time.sleep(1)
            trial.world.look()
            trial.receiver.behave = WELL
            time.sleep(0.3)
        trial.receiver.behave = FAULTS[fault]
        time.sleep(0.5)
        check_callers(trial)
        trial.world.kill()
        trial.world.start()
        trial.world.look()
        trial.receiver.behave = WELL
        trial.receiver.ending.set()
        violations = trial.finish(ordered=False)
        tell(f"{dict(trial.receiver.statuses)}; {trial.summary()}")
        assert violations == []
        assert len(trial.receiver.statuses) > 1


def test_a_server_with_a_hanging_receiver_leaves_when_asked(tmp_path, seed, rng):
    with Trial(tmp_path, seed, rng, hook=HOOK | {"timeout": "60s"}) as trial:
        trial.receiver.behave = FAULTS["hangs"]
        trial.world.start()
        trial.crowd.start(pause=0.005)
        time.sleep(0.5)
        begun = time.monotonic()
        trial.world.stop()
        assert time.monotonic() - begun < 8 * SLOW
        trial.receiver.behave = WELL
        assert trial.finish(ordered=False) == []


@long_only
def test_nobody_listens_for_a_while(tmp_path, seed, rng, tell):
    with Trial(tmp_path, seed, rng, hook=HOOK) as trial:
        port = trial.receiver.port
        trial.receiver.close()
        trial.world.start()
        trial.crowd.start(pause=0.005)
        time.sleep(1)
        check_callers(trial)
        trial.receiver = Receiver(port=port)
        violations = trial.finish(ordered=False)
        tell(trial.summary())
        assert violations == []


def self_signed(folder):
    """An SSL context with a self-signed certificate."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
        + ["-nodes", "-subj", "/CN=127.0.0.1", "-days", "2", "-keyout", "key", "-out", "cert"],
        cwd=folder,
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert", folder / "key")
    return context


@pytest.mark.parametrize("wrong", ["self-signed", long_row("plain text")])
def test_wrong_tls_waits_until_it_is_put_right(tmp_path, seed, rng, tell, wrong):
    with Trial(tmp_path, seed, rng, hook=HOOK) as trial:
        other = Receiver(tls=None if wrong == "plain text" else self_signed(tmp_path))
        good = trial.hook["url"]
        trial.hook["url"] = other.url.replace("http:", "https:")
        trial.world.start()
        trial.crowd.start(pause=0.005)
        time.sleep(1)
        check_callers(trial)
        trial.crowd.stop()
        metrics = trial.world.look()
        assert metrics[("sluice_sink_delivered_total", ("sink", "hook"))] == 0
        assert metrics[("sluice_sink_dead", ("sink", "hook"))] == 0
        trial.world.stop()
        other.close()
        assert other.taken() == []
        trial.hook["url"] = good
        violations = trial.finish(ordered=False)
        tell(trial.summary())
        assert violations == []


@pytest.mark.parametrize("batch", [20, long_row(1)])
def test_a_refused_record_dies_alone(tmp_path, seed, rng, tell, batch):
    """The receiver always refuses some records: these become dead, all others are delivered."""

    def is_bad(mark):
        return mark.endswith("7")

    def refuse(_, records):
        return 422 if any(is_bad(record["interaction_id"]) for record in records) else 200

    hook = HOOK | {"batch": batch, "max_attempts": 2, "max_backoff": "100ms"}
    kinds = {Sequential: 1, Concurrent: 2, Wrong: 1}
    with Trial(tmp_path, seed, rng, hook=hook, kinds=kinds) as trial:
        trial.receiver.behave = refuse
        trial.world.start()
        trial.crowd.start(pause=0.01)
        time.sleep(1.5)
        trial.crowd.stop()
        check_callers(trial)
        metrics = trial.world.drain(["archive", "hook"], 60)
        marks = {event.mark for event in trial.ledger.acknowledged()}
        bad = {mark for mark in marks if is_bad(mark)}
        taken = {record["interaction_id"] for record in trial.receiver.taken()}
        assert taken == marks - bad
        assert metrics[("sluice_sink_dead", ("sink", "hook"))] == len(bad) > 0
        trial.world.stop()
        with trial.world.database() as db:
            keys = {row[0] for row in db.execute("SELECT key FROM dead JOIN record USING (seq)")}
        assert keys == {event.id for event in trial.ledger.acknowledged() if event.mark in bad}
        tell(f"{len(bad)} of {len(marks)} dead; {trial.summary()}")
        assert trial.ledger.violations == []
