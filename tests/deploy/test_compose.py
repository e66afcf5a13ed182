"""compose.yaml: what the Compose specification's reference implementation says, and what the services do."""

import json
import re
import sys
import urllib.error
import urllib.request

import pytest
import yaml
from client import encode
from server import PATIENCE, ROOT, Server, furnish, run, wait_for

PLACE = ROOT / "conf/deploy/compose"
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES = COMPOSE["services"]


def test_it_follows_the_specification(tool):
    services = json.loads(tool("compose-spec", "--format", "json", "compose.yaml", cwd=ROOT))["services"]
    assert set(services) == {"sluice", "receiver", "prometheus", "grafana"}


def test_the_files_that_it_mounts_exist():
    mounts = [mount.split(":") for service in SERVICES.values() for mount in service["volumes"]]
    for source, *_ in mounts:
        assert (ROOT / source).exists() if source.startswith("./") else source in COMPOSE["volumes"]


def test_the_ports_are_open_to_this_machine_only():
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert len(ports) == 3 and all(port.startswith("127.0.0.1:") for port in ports)


def test_it_runs_the_image_of_this_version():
    version = run("version", cwd=ROOT).stdout.split()[1]
    assert SERVICES["sluice"]["image"] == f"sluice:{version}"
    assert SERVICES["sluice"]["build"]["args"] == {"VERSION": version}


@pytest.fixture
def stack(folder, free_port, background, request):
    """Sluice and the receiver with the files of the stack. Returns the server, and what the receiver prints."""
    port = free_port()
    out = folder / "receiver.out"
    with open(folder / "run.sh", "w") as script:
        script.write(f"exec {sys.executable} -u {PLACE}/receiver.py 127.0.0.1:{port} >{out}\n")
    background(["sh", folder / "run.sh"], port)
    place = folder / "stack"
    furnish(place)
    env = {"SLUICE_LISTEN": "127.0.0.1:0", "SLUICE_RECEIVER": f"http://127.0.0.1:{port}/"}
    text = (PLACE / "sluice.yaml").read_text()
    for name in ("schemas", "transforms"):
        text = text.replace(f": {name}", f": conf/{name}")
    server = Server(place, None, text=text.replace("../var", "var"), env=env).wait_ready()
    yield server, out
    server.stop()


def test_a_record_arrives_at_the_receiver(stack, event):
    server, out = stack
    record = server.post(encode(event)).json
    line = wait_for(lambda: "\n" in (text := out.read_text()) and text, "the record")
    key, body = line.split(" ", 1)
    assert key and json.loads(body) == record


def test_prometheus_finds_its_rules_and_the_server(stack, event, tool, folder, free_port, background):
    server, _ = stack
    server.post(encode(event))
    mounts = dict(mount.split(":")[1::-1] for mount in SERVICES["prometheus"]["volumes"])
    text = (ROOT / mounts["/etc/prometheus/prometheus.yml"]).read_text()
    assert "sluice:8080" in text
    text = text.replace("sluice:8080", f"127.0.0.1:{server.address[1]}").replace("15s", "1s")
    (folder / "prometheus.yml").write_text(text)
    (folder / "alerts.yaml").write_bytes((ROOT / mounts["/etc/prometheus/alerts.yaml"]).read_bytes())
    tool("promtool", "check", "config", folder / "prometheus.yml")
    port = free_port()
    background(["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
                f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"], port)  # fmt: skip

    def scraped():
        url = f"http://127.0.0.1:{port}/api/v1/query?query=sluice_ready%7Bjob%3D%22sluice%22%7D"
        try:
            with urllib.request.urlopen(url, timeout=20) as answer:
                return json.load(answer)["data"]["result"]
        except urllib.error.HTTPError:
            return None  # it is not ready yet

    assert wait_for(scraped, "the first scrape", 6 * PATIENCE)[0]["value"][1] == "1"


def test_grafana_finds_its_data_and_the_dashboard():
    """The names in its provisioning files are those of the services and mounts."""
    mounts = dict(mount.split(":")[1::-1] for mount in SERVICES["grafana"]["volumes"])
    provisioning = "/etc/grafana/provisioning"
    [source] = yaml.safe_load((ROOT / mounts[f"{provisioning}/datasources/sluice.yaml"]).read_text())["datasources"]
    host, port = re.fullmatch(r"http://(\w+):(\d+)", source["url"]).groups()
    assert SERVICES[host]["ports"] == [f"127.0.0.1:{port}:{port}"]
    [provider] = yaml.safe_load((ROOT / mounts[f"{provisioning}/dashboards/sluice.yaml"]).read_text())["providers"]
    dashboards = ROOT / mounts[provider["options"]["path"]]
    assert SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"] == "/dashboards/sluice.json"
    [variable] = json.loads((dashboards / "sluice.json").read_text())["templating"]["list"]
    assert (variable["type"], variable["query"]) == ("datasource", source["type"])
