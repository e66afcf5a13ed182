"""schemathesis makes requests of docs/openapi.yaml, good and bad ones, and judges the answers of a real server."""

import subprocess

import pytest

from receiver import Receiver
from server import ROOT

PROGRAM = ROOT / "build/peers-schemathesis/bin/schemathesis"
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,"
CHECKS += "response_schema_conformance,unsupported_method,ignored_auth"
SENDERS = r"^/(events|healthz|readyz)?$"
OPERATORS = r"^/(api/v1/.*|console.*|metrics|healthz|readyz)$"


@pytest.fixture
def server(sluice, folder, event):
    """With refused events and dead records to look at."""
    (folder / "key").write_text("operator-key\n")
    there = Receiver()
    there.plan = lambda records: (400, {})
    server = sluice(
        admin={"listen": "127.0.0.1:0", "api_keys": [{"value_file": str(folder / "key")}]},
        store={"path": "var/s.db"},
        sinks=[{"name": "hook", "kind": "http", "url": there.url, "max_attempts": 1}],
    )
    for number in range(5):
        assert server.post(event | {"id": f"good{number}"}).status == 200
        assert server.post(event | {"id": f"bad{number}", "detail": {"number": number}}).status == 400
    yield server
    there.close()


@pytest.mark.skipif(not PROGRAM.exists(), reason="schemathesis is not installed")
@pytest.mark.parametrize("paths", [SENDERS, OPERATORS], ids=["senders", "operators"])
def test_schemathesis_finds_nothing(server, folder, paths):
    port = server.address[1] if paths == SENDERS else server.ready["admin_port"]
    done = subprocess.run(
        [
            PROGRAM, "run", ROOT / "docs/openapi.yaml", "--url", f"http://127.0.0.1:{port}", "--checks", CHECKS,
            "--include-path-regex", paths, "--header", "x-api-key: operator-key", "--header", "X-Sluice-Console: 1",
            "--max-examples", "25", "--phases", "examples,coverage,fuzzing", "--seed", "1", "--no-color",
            "--generation-database", "none",
        ],
        cwd=folder, capture_output=True, text=True, check=False, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    assert not [line for line in server.log() if line.get("status") == 500]
