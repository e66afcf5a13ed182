"""The Helm chart: helm lint, its templates against the schemas of Kubernetes, and the configuration that it makes."""

import json
import subprocess

import pytest
import yaml
from client import encode
from tools import TOOLS, find_tool
from server import ROOT, Server, furnish, run

CHART = ROOT / "conf/deploy/helm/sluice"
HOOK = {"config": {"sinks": [{"name": "hook", "kind": "http", "url": "https://receiver.example/records"}]}}

# Values of each case.
CASES = {
    "store": HOOK,
    "no store": {**HOOK, "store": {"enabled": False}},
    "everything": {
        "config": {**HOOK["config"], "log": {"level": "warn"}, "http": {"rate_limit": 500}},
        "env": [{"name": "AWS_REGION", "value": "eu-central-1"}],
        "image": {"repository": "registry.example/sluice", "tag": "1", "pullSecrets": [{"name": "registry"}]},
        "ingress": {"enabled": True, "className": "nginx", "host": "events.example.com", "tlsSecret": "tls",
                    "annotations": {"a.example/b": "c"}},
        "nodeSelector": {"disk": "ssd"},
        "podAnnotations": {"a.example/b": "c"},
        "podLabels": {"team": "events"},
        "schemas": {"Shop": {"Order": '{"type": "object"}\n'}},
        "secret": {"name": "other", "key": "api-key", "header": "x-key"},
        "service": {"type": "LoadBalancer", "port": 8080, "annotations": {"a.example/b": "c"}},
        "serviceAccount": {"annotations": {"eks.amazonaws.com/role-arn": "arn:aws:iam::123456789012:role/sluice"}},
        "serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
        "store": {"enabled": True, "size": "1Gi", "storageClass": "gp3"},
        "tolerations": [{"key": "events", "operator": "Exists"}],
        "transforms": {"order": "fields:\n  - { name: id, from: /id }\n"},
    },
    "least": {
        **HOOK,
        "networkPolicy": {"enabled": False},
        "podDisruptionBudget": {"enabled": False},
        "serviceAccount": {"create": False},
        "store": {"enabled": False},
    },
}  # fmt: skip

OLDEST, NEWEST = "1.27.0", "1.37.0"


@pytest.fixture
def render(tmp_path, tool):
    """`render(values)` returns the objects that the chart makes of them."""

    def make(values, *words):
        (tmp_path / "values.yaml").write_text(yaml.safe_dump(values))
        text = tool("helm", "template", "events", CHART, "--kube-version", NEWEST, "-f", tmp_path / "values.yaml", *words)
        return [one for one in yaml.safe_load_all(text) if one]

    return make


def one(objects, kind):
    [found] = [item for item in objects if item["kind"] == kind]
    return found


@pytest.mark.parametrize("case", CASES)
def test_helm_lint_finds_nothing(tmp_path, tool, case):
    (tmp_path / "values.yaml").write_text(yaml.safe_dump(CASES[case]))
    said = tool("helm", "lint", "--strict", "--kube-version", NEWEST, CHART, "-f", tmp_path / "values.yaml")
    assert "[WARNING]" not in said and "[ERROR]" not in said


@pytest.mark.parametrize("case", CASES)
def test_kubernetes_would_take_its_objects(tmp_path, render, tool, case):
    objects = render(CASES[case], "--api-versions", "monitoring.coreos.com/v1")
    plain = [item for item in objects if item["kind"] != "ServiceMonitor"]
    (tmp_path / "objects.yaml").write_text(yaml.safe_dump_all(plain))
    for version in (OLDEST, NEWEST):
        tool("kubernetes-validate", "--strict", "--version", version, tmp_path / "objects.yaml")
    assert len(objects) - len(plain) == (case == "everything")
    for item in objects:
        assert len(item["metadata"]["name"]) <= 63
        assert item["metadata"]["labels"]["app.kubernetes.io/instance"] == "events"


def test_the_prometheus_operator_would_take_its_object(render):
    monitor = one(render(CASES["everything"]), "ServiceMonitor")
    node = find_tool("node")
    if not (TOOLS / "node_modules/@kubernetes-models").exists():
        pytest.skip("@kubernetes-models/prometheus-operator could not be installed")
    script = """
import("@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1").then((models) =>
  new models.ServiceMonitor(JSON.parse(process.argv[1])).validate());
"""
    for item, is_right in ((monitor, True), ({**monitor, "spec": {"endpoints": [{"port": 1}]}}, False)):
        done = subprocess.run([node, "-e", script, json.dumps(item)], cwd=TOOLS, capture_output=True, text=True, check=False)
        assert (done.returncode == 0) == is_right, done.stderr


def test_services_and_policies_select_the_pods(render):
    objects = render(CASES["everything"])
    pod = one(objects, "StatefulSet")["spec"]["template"]
    labels = pod["metadata"]["labels"].items()
    ports = {port["name"] for port in pod["spec"]["containers"][0]["ports"]}
    selectors = [item["spec"]["selector"] for item in objects if item["kind"] == "Service"]
    selectors += [one(objects, "PodDisruptionBudget")["spec"]["selector"]["matchLabels"]]
    selectors += [one(objects, "NetworkPolicy")["spec"]["podSelector"]["matchLabels"]]
    selectors += [one(objects, "StatefulSet")["spec"]["selector"]["matchLabels"]]
    assert len(selectors) == 5 and all(selector.items() <= labels for selector in selectors)
    services = {item["metadata"]["name"]: item for item in objects if item["kind"] == "Service"}
    assert all(port["targetPort"] in ports for item in services.values() for port in item["spec"]["ports"])
    assert one(objects, "StatefulSet")["spec"]["serviceName"] in services
    chosen = one(objects, "ServiceMonitor")["spec"]["selector"]["matchLabels"].items()
    assert [name for name, item in services.items() if chosen <= item["metadata"]["labels"].items()] == ["events-sluice-pods"]
    [path] = one(objects, "Ingress")["spec"]["rules"][0]["http"]["paths"]
    assert path["backend"]["service"]["name"] == "events-sluice" and path["path"] == "/events"


def test_only_with_a_store_is_there_a_volume(render):
    for values, kind, path in ((CASES["store"], "StatefulSet", "/var/lib/sluice/var/sluice.db"), (CASES["no store"], "Deployment", "")):
        objects = render(values)
        spec = one(objects, kind)["spec"]
        assert ("volumeClaimTemplates" in spec) == bool(path)
        config = yaml.safe_load(one(objects, "ConfigMap")["data"]["sluice.yaml"])
        assert config["store"]["path"] == path


def test_a_pod_has_time_to_end(render):
    objects = render({**HOOK, "drainSeconds": 33})
    config = yaml.safe_load(one(objects, "ConfigMap")["data"]["sluice.yaml"])
    assert config["http"]["drain_delay"] == "33s"
    grace = one(objects, "StatefulSet")["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
    assert grace >= 33 + 12


@pytest.mark.parametrize(
    "values",
    [
        {"replicaCount": 3},
        {"store": {"enabled": "yes"}},
        {"ingress": {"enabled": True}},
        {"config": {"sink": []}},
        {"secret": {"name": "", "key": "key", "header": "x-api-key"}},
    ],
    ids=str,
)
def test_wrong_values_are_refused(tmp_path, values):
    (tmp_path / "values.yaml").write_text(yaml.safe_dump(values))
    done = subprocess.run([find_tool("helm"), "template", CHART, "--kube-version", NEWEST, "-f", tmp_path / "values.yaml"], capture_output=True, text=True, check=False)
    assert done.returncode != 0 and "values don't meet the specifications of the schema" in done.stderr


@pytest.mark.parametrize("case", CASES)
def test_the_probes_and_an_event_are_answered(tmp_path, render, free_port, event, case):
    """The server starts with the configuration of the pod, and answers its probes on the admin port."""
    objects = render(CASES[case])
    config = next(item for item in objects if "sluice.yaml" in item.get("data", {}))["data"]["sluice.yaml"]
    [container] = next(item for item in objects if item["kind"] in ("StatefulSet", "Deployment"))["spec"]["template"]["spec"]["containers"]
    secret = CASES[case].get("secret", {"key": "key", "header": "x-api-key"})
    (tmp_path / secret["key"]).write_text("alpha\n")
    furnish(tmp_path)
    admin = free_port()
    for place, here in {
        "0.0.0.0:8080": "127.0.0.1:0",
        "0.0.0.0:9090": f"127.0.0.1:{admin}",
        "/etc/sluice": f"{tmp_path}/conf",
        "/run/secrets/sluice": str(tmp_path),
        "/var/lib/sluice": f"{tmp_path}/state",
        "drain_delay: 10s": "drain_delay: 0s",
        "https://receiver.example/": "http://127.0.0.1:1/",
    }.items():
        config = config.replace(place, here)
    server = Server(tmp_path, None, text=config).wait_ready()
    try:
        events, server.address = server.address, ("127.0.0.1", admin)
        for name in ("startupProbe", "livenessProbe", "readinessProbe"):
            probe = container[name]["httpGet"]
            assert probe["port"] == "admin"
            assert server.get(probe["path"], {"Host": "10.0.0.1:9090"}).status == 200
        assert b"sluice_ready 1" in server.get("/metrics", {"Host": "10.0.0.1:9090"}).body
        server.address = events
        assert server.post(encode(event)).status == 401
        answer = server.post(encode(event), headers={secret["header"]: "alpha"})
        stored = CASES[case].get("store", {"enabled": True})["enabled"]
        assert answer.status == (200 if stored else 503)
    finally:
        server.stop()


def test_the_version_is_that_of_the_program():
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert run("version", cwd=ROOT).stdout.split()[1] == chart["version"] == chart["appVersion"]
    assert OLDEST in chart["kubeVersion"]
