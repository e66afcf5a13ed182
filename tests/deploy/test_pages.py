"""The pages of docs/deploy: their commands can be read by a shell, and name what exists; their manifests are valid."""

import re
import subprocess

import pytest
import yaml
from server import BINARY, ROOT, environment
from test_cloudformation import read_template

PAGES = sorted((ROOT / "docs/deploy").glob("*.md")) + [ROOT / "docs/eventbridge.md", ROOT / "docs/proxies.md"]
TEXT = {page.stem: page.read_text() for page in PAGES}

OTHERS_NAMES = {"ReportBatchItemFailures"}  # of Lambda


def blocks(page, language):
    return re.findall(rf"(?ms)^```{language}\n(.*?)^```", TEXT[page])


@pytest.mark.parametrize("page", TEXT)
def test_a_shell_can_read_the_commands(page):
    for block in blocks(page, "sh"):
        done = subprocess.run(["sh", "-n"], input=block, capture_output=True, text=True, check=False)
        assert done.returncode == 0, (block, done.stderr)


@pytest.mark.parametrize("page", TEXT)
def test_the_commands_stay_in_one_folder(page):
    """Later commands name files of the source tree."""
    assert not [block for block in blocks(page, "sh") if re.search(r"(?m)(^|[;&(] *)(cd|pushd) ", block)]


@pytest.mark.parametrize("page", TEXT)
def test_the_files_that_are_named_exist(page):
    for name in set(re.findall(r"\bconf/(?:deploy|samples)/[\w./-]*\w", TEXT[page])):
        assert (ROOT / name).exists(), name


def test_the_parameters_that_are_set_are_those_of_the_template():
    seen = 0
    for text in TEXT.values():
        for command in re.findall(r"aws cloudformation deploy (?:.*\\\n)*.*\n", text):
            template = re.search(r"--template-file conf/deploy/(\S+)", command)[1]
            parameters = read_template(template)["Parameters"]
            given = set(re.findall(r"(?<![\w-])([A-Z]\w+)=", command.split("--parameter-overrides")[1]))
            required = {name for name, one in parameters.items() if "Default" not in one}
            assert required <= given <= set(parameters), template
            seen += 1
    assert seen == 3


@pytest.mark.parametrize(("page", "template"), [("ecs", "ecs/ecs.yaml"), ("lambda", "lambda/lambda.yaml"), ("eventbridge", "eventbridge/eventbridge.yaml")])
def test_names_in_tables_are_those_of_the_template(page, template):
    read = read_template(template)
    names = {*read["Parameters"], *read["Resources"], *read["Outputs"]}
    for name in re.findall(r"`([A-Z][a-z]\w+)`", TEXT[page]):
        assert name in names or name in TEXT["eventbridge"] or name in OTHERS_NAMES, name


def test_the_values_of_the_page_install(tmp_path, tool):
    [values, pod] = [block for block in blocks("kubernetes", "yaml")]
    (tmp_path / "values.yaml").write_text(values)
    for name, text in (("order.json", "{}\n"), ("order.yaml", "fields: []\n")):
        (tmp_path / name).write_text(text)
    files = ["--set-file", "schemas.Shop.Order=order.json", "--set-file", "transforms.order=order.yaml"]
    assert " \\\n    ".join(["-f values.yaml", " ".join(files)]) in TEXT["kubernetes"]
    made = tool("helm", "template", "sluice", ROOT / "conf/deploy/helm/sluice", "-f", "values.yaml", *files,
                "--namespace", "sluice", "--kube-version", "1.37.0", cwd=tmp_path)  # fmt: skip
    objects = [one for one in yaml.safe_load_all(made) if one]
    # The pod that drains a volume uses what the chart has made.
    (tmp_path / "pod.yaml").write_text(pod)
    tool("kubernetes-validate", "--strict", "--version", "1.37.0", tmp_path / "pod.yaml")
    drain = yaml.safe_load(pod)["spec"]
    [workload] = [one for one in objects if one["kind"] == "StatefulSet"]
    running = workload["spec"]["template"]["spec"]
    assert drain["securityContext"].items() <= running["securityContext"].items()
    mounts = {one["name"]: one["mountPath"] for one in running["containers"][0]["volumeMounts"]}
    for mount in drain["containers"][0]["volumeMounts"]:
        assert mounts[mount["name"]] == mount["mountPath"]
    volumes = {one["name"]: one for one in running["volumes"]}
    assert drain["volumes"][0]["configMap"] == volumes["config"]["configMap"]
    assert drain["volumes"][1]["secret"]["secretName"] == volumes["secret"]["secret"]["secretName"]
    assert drain["volumes"][2]["persistentVolumeClaim"]["claimName"] == f"var-{workload['metadata']['name']}-1"


def test_the_machine_listens_where_its_socket_does(tmp_path):
    """The page's own `init` and `sed`, and what it writes into the unit."""
    [block] = [block for block in blocks("machine", "sh") if "sluice init" in block]
    commands = [line.replace("/etc/sluice", str(tmp_path)) for line in block.splitlines()]
    commands = [line for line in commands if line.startswith(("sluice init", "sed"))]
    assert len(commands) == 2
    script = "\n".join(commands).replace("sluice init", f"{BINARY} init")
    subprocess.run(["sh", "-e", "-c", script], check=True, env=environment(), capture_output=True)
    [port] = re.findall(r"(?m)^ListenStream=(\d+)$", TEXT["machine"])
    assert yaml.safe_load((tmp_path / "sluice.yaml").read_text())["http"]["listen"] == f"[::]:{port}"


def test_the_terraform_variables_are_the_parameters():
    text = (ROOT / "conf/deploy/terraform/variables.tf").read_text()
    variables = set(re.findall(r'(?m)^variable "(\w+)"', text)) - {"name"}
    parameters = read_template("eventbridge/eventbridge.yaml")["Parameters"]
    assert variables == {re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower() for name in parameters}


