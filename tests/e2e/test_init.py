"""sluice init: each configuration is right, and no file is overwritten."""

import pytest

from server import ROOT, run

ARN = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:events!connection/genesys/4f-AbCdEf"
VARIABLES = {
    "SLUICE_QUEUE_URL": "https://sqs.eu-central-1.amazonaws.com/123456789012/records",
    "SLUICE_SECRET": ARN,
    "SLUICE_URL": "https://receiver.example/",
    "AWS_REGION": "eu-central-1",
}


@pytest.mark.parametrize("purpose", ["ecs", "k8s", "lambda", "local", "systemd"])
def test_a_configuration_is_right(tmp_path, purpose):
    text = run("init", "--for", purpose, "-", cwd=tmp_path).stdout
    for place in ("tls", "secrets"):
        (tmp_path / place).mkdir()
    for name in ("key", "secrets/key"):
        (tmp_path / name).write_text("key\n")
    # The places of an installed Sluice, in the source tree and below tmp_path.
    for place, here in {
        "/etc/sluice/schemas": ROOT / "conf/schemas",
        "/etc/sluice/transforms": ROOT / "conf/transforms",
        "/etc/sluice/secrets": tmp_path / "secrets",
        "/run/secrets/sluice": tmp_path,
        "/var/lib/sluice": tmp_path / "state",
    }.items():
        text = text.replace(place, str(here))
    (tmp_path / "sluice.yaml").write_text(text)
    result = run("check", "--offline", "-c", "sluice.yaml", cwd=tmp_path, env=VARIABLES)
    # The certificate of a service is its operator's.
    found = [line for line in result.stdout.splitlines() if "http.tls" not in line]
    assert all("ok" in line for line in found), result


def test_the_file_is_written_once(tmp_path):
    result = run("init", "--for", "lambda", cwd=tmp_path)
    assert result.returncode == 0
    assert (tmp_path / "sluice.yaml").read_text() == (ROOT / "conf/init/lambda.yaml").read_text()
    result = run("init", cwd=tmp_path)
    assert (result.returncode, result.stderr) == (3, "sluice init: sluice.yaml: File exists\n")


def test_another_purpose_is_a_wrong_call(tmp_path):
    result = run("init", "--for", "mars", "-", cwd=tmp_path)
    assert (result.returncode, result.stdout) == (2, "")
