"""docs/runbook.md: each alert and each reason of the log is in it, and its commands are commands. Those in its blocks
are run by test_docs.py."""

import re

import yaml

from server import ROOT, run

PAGE = (ROOT / "docs/runbook.md").read_text()
ALERTS, REASONS, LINES = re.split(r"(?m)^## (?:Reasons|Other lines.*)$", PAGE.split("## Alerts")[1])
FOLDERS = ("base", "aws", "schema", "settings", "delivery", "handlers", "server")
SOURCES = {path.relative_to(ROOT): path.read_text() for folder in FOLDERS for path in (ROOT / folder).rglob("*.c")}


def test_each_alert_has_an_entry():
    groups = yaml.safe_load((ROOT / "conf/deploy/prometheus/alerts.yaml").read_text())["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    entries = re.split(r"(?m)^### ", ALERTS)[1:]
    assert [entry.split("\n")[0] for entry in entries] == [rule["alert"] for rule in rules]
    for entry, rule in zip(entries, rules):
        assert len(entry.split("\n", 1)[1].split()) > 12, entry  # a meaning, and what to do
        assert rule["annotations"]["runbook"] == f"docs/runbook.md#{rule['alert'].lower()}"


# Where the reasons of request lines are in the sources: of a file, or of all files of a folder.
GIVEN = {
    "server/http/exchange.c": r'\{ \d+, STR_INIT\("([^"]+)"\) \}',
    "server/http": r'http_exchange_refuse\(\w+, \d+, "([^"]+)"\)',
    "server/admin_guard.c": r'forbid\(request, \d+, "([^"]+)"|reason = STR\("([^"]+)"\)',
    "server/control_jobs.c": r'ERR_UNAVAILABLE, (?:is_closed \? "draining" : )?"([^"]+)"',
    "handlers/auth/auth.c": r'"(credential [a-z]+)"',
    "handlers/auth/bearer.c": r'reason = "([^"]+)"',
    "handlers/auth/jwt.c": r'(?:invalid\(|return |reason = |NULL : )"([^"]+)"',
    "handlers/events.c": r'answer_unavailable\(h, "([^"]+)"',
    "delivery/outbox": r'"(store (?:full|failing|queue full))"',
}


def test_each_reason_of_a_request_has_a_row():
    for place, pattern in GIVEN.items():
        texts = [text for path, text in SOURCES.items() if str(path).startswith(place)]
        reasons = {next(filter(None, match.groups())) for text in texts for match in re.finditer(pattern, text)}
        assert reasons, place
        for reason in reasons:
            assert f"`{reason}`" in REASONS, (place, reason)


def test_each_line_with_a_reason_has_a_row():
    events = set()
    for path, text in SOURCES.items():
        if str(path).startswith("server/cli"):
            continue
        for call in re.findall(r"LOG_EVENT\((.*?)\);", text, re.DOTALL):
            name = re.search(r'^[^,]*,\s*"(\w+)"', call)
            if 'LOG_STR("reason"' in call and name:
                events.add(name[1])
        events |= set(re.findall(r'(?:log_fault|pump_log_record|log_records)\([^,"]+, "(\w+)"', text))
    assert {"store_failing", "sink_failed", "lambda_loses_events", "clock_jumped"} <= events
    for event in events:
        assert f"`{event}`" in LINES, event


def test_each_command_in_the_text_is_one(sluice):
    """With a name, a sequence and a version that the server has, or says that it has not."""
    server = sluice(store={"path": "var/s.db"}, sinks=[{"name": "archive", "kind": "file", "path": "var/r.ndjson"}])
    text = re.sub(r"(?ms)^```.*?^```", "", PAGE)
    commands = set(re.findall(r"`sluice ([a-z][^`]*)`", text))
    assert len(commands) > 6
    for command in sorted(commands):
        words = [{"NAME": "archive", "SEQUENCE": "1", "VERSION": "1", "ID": "1"}.get(word, word) for word in command.split()]
        if words == ["explain"]:
            words.append(str(ROOT / "conf/samples/interaction.started.json"))
        told = run(*words, "-c", server.file, cwd=server.folder)
        assert told.returncode in (0, 1, 3), (command, told)
        assert "Usage" not in told.stderr and "unknown" not in told.stderr, (command, told)
    assert server.get("/readyz").status == 200
