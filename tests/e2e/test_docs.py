"""README and docs are correct: every command that needs no special machine is run and must print what the page
shows; every command, target, file, setting, metric and log event that they name must exist."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time

import pytest

from server import BINARY, PATIENCE, ROOT, environment, run

# What operators read: the page docs/operations.md and those that it lists.
MANUAL = ("operations", "https", "proxies", "credentials", "schemas", "store", "delivery", "sinks", "limits", "monitoring", "runbook", "scaling")
DEPLOY = [f"docs/{name}.md" for name in ("eventbridge", *(f"deploy/{place}" for place in ("compose", "machine", "ecs", "kubernetes", "lambda")))]
PAGES = ["README.md", "CONTRIBUTING.md", *(f"docs/{name}.md" for name in ("architecture", "status", "style", *MANUAL))]
TEXTS = {page: (ROOT / page).read_text() for page in PAGES + DEPLOY}

# Names in the manual that are not ours: a host name of a client, attributes of a load balancer.
OTHERS_NAMES = {"my_host", "preserve_client_ip", "deregistration_delay"}

# Commands that are not run here, with the reason.
ELSEWHERE = {
    "aws": "wants an account of AWS",
    "docker": "wants a container engine",
    "make run": "serves until it is stopped; the server of this test is started likewise",
    "make test": "runs this",
    "sluice doctor --aws": "wants an account of AWS",
}


def blocks(page, *languages):
    """The fenced blocks in these languages, each as a list of lines."""
    pattern = rf"^```({'|'.join(languages)})\n(.*?)^```"
    found = re.finditer(pattern, TEXTS[page], re.MULTILINE | re.DOTALL)
    return [(match[1], match[2].splitlines()) for match in found]


def steps(page):
    """Every command of a page, with the output that the page shows, or None."""
    for language, lines in blocks(page, "console", "sh"):
        if language == "sh":
            yield from ((re.sub(r"  +#.*", "", line), None) for line in lines if line)
            continue
        command, output = None, []
        for line in [*lines, "$ "]:
            if line.startswith("$ "):
                if command:
                    yield command, "\n".join(output) or None
                command, output = line[2:], []
            else:
                output.append(line)


STEPS = [(page, *step) for page in PAGES for step in steps(page)]


def same(text):
    """The text without the parts that differ between calls."""
    for pattern in (
        r"\d{4}-\d\d-\d\dT[\d:]+\.\d{6}Z",
        r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
        r"(?m)^Date: .*$",
    ):
        text = re.sub(pattern, "*", text)
    return text.replace("\r", "").strip()


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """The source tree after `make`, with a running server. `place(command)` runs a command in it."""
    folder = tmp_path_factory.mktemp("docs")
    (folder / "build").mkdir()
    (folder / "build/sluice").symlink_to(BINARY)
    shutil.copytree(ROOT / "conf", folder / "conf")
    for name in ("Makefile", "docs", "tests"):
        (folder / name).symlink_to(ROOT / name)
    processes = []

    def serve(command, env):
        process = subprocess.Popen(
            command, shell=True, cwd=folder, env=environment(env), stdout=subprocess.PIPE, text=True,
            start_new_session=True,
        )  # fmt: skip
        processes.append(process)
        ready = json.loads(process.stdout.readline())
        assert ready["event"] == "ready"
        return ready["port"]

    port = serve("exec build/sluice serve -c conf/sluice.yaml", {"SLUICE_LISTEN": "127.0.0.1:0"})
    with socket.create_server(("127.0.0.1", 0)) as free:
        ports = {"8080": str(port), "8443": str(free.getsockname()[1])}

    def execute(command):
        command = re.sub(r"(?<=:)(8080|8443)\b", lambda match: ports[match[1]], command)
        if command.endswith(" &"):
            return serve("exec " + command[:-2], {}) and None
        return subprocess.run(
            ["sh", "-c", command.replace("curl ", "curl -sS ")], cwd=folder, env=environment(), capture_output=True,
            text=True, timeout=PATIENCE, check=False,
        )  # fmt: skip

    yield execute
    for process in processes:
        os.killpg(process.pid, signal.SIGTERM)
        assert process.wait(PATIENCE) == 0


def test_the_pages_have_commands():
    assert len(STEPS) > 15


@pytest.mark.skipif(not shutil.which("curl"), reason="no curl")
def test_every_command_does_what_the_page_shows(place):
    for page, command, output in STEPS:
        if any(command.startswith(start) for start in ELSEWHERE):
            continue
        done = place(command)
        if done is None:
            continue
        said = f"{page}: {command}: {done}"
        assert done.returncode in (0, 1), said  # 1: the answer is no
        assert "curl:" not in done.stderr and "Usage" not in done.stderr, said
        if output is not None:
            assert same(done.stdout) == same(output), said
        elif "/events" in command:
            assert '"interaction_id"' in done.stdout, said


def test_the_image_is_built_from_all_sources():
    rule = re.search(r"^FOLDERS +:= ((?:.*\\\n)*.*)", (ROOT / "Makefile").read_text(), re.M)[1]
    rooms = {folder.split("/")[0] for folder in rule.replace("\\", " ").split()}
    assert "server" in rooms
    assert {f"!{room}" for room in rooms} <= set((ROOT / ".dockerignore").read_text().splitlines())


def test_the_image_has_the_tag_that_is_run(tmp_path):
    [command] = [command for _, command, _ in STEPS if command.startswith("docker run")]
    docker = tmp_path / "docker"
    docker.write_text('#!/bin/sh\necho "$@"\n')
    docker.chmod(0o755)
    built = subprocess.run(
        [ROOT / "tests/image/build.sh"],
        env=environment() | {"PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    tags = [tag for option, tag in zip(built, built[1:]) if option == "-t"]
    assert command.split()[-1] in tags and "sluice:latest" in tags
    assert run("version", cwd=ROOT).stdout.split()[1] == command.split(":")[-1]
    assert "CMD [" in (ROOT / "Dockerfile").read_text()


def test_every_block_of_configuration_is_one(folder):
    """The YAML in README.md and docs/ has no unknown keys or wrong values."""
    texts = ["\n".join(lines) for page in PAGES for _, lines in blocks(page, "yaml")]
    texts += re.findall(r"(?m)^    http:\n(?:    .*\n)+", TEXTS["docs/https.md"])
    assert len(texts) > 4
    for text in texts:
        text = re.sub(r"(?m)^    ", "", text) if text.startswith("    ") else text
        path = folder / "page.yaml"
        if text.startswith("fields:"):
            path.write_text(f"routes: [{{ transform: {folder}/fields.yaml }}]\n")
            (folder / "fields.yaml").write_text(text)
        else:
            path.write_text(text)
        told = run("check", "--offline", "-c", path, cwd=ROOT).stdout
        wrong = [
            line
            for line in told.splitlines()
            if not re.search(r"No such file|there is no file|no credential is configured", line)
        ]
        assert wrong in ([], [f"{path}: ok"]), text


def inline(page):
    return re.findall(r"`([^`\n]+)`", re.sub(r"(?ms)^```.*?^```", "", TEXTS[page]))


@pytest.mark.parametrize("page", PAGES + DEPLOY)
def test_commands_and_targets_exist(page):
    targets = set(re.findall(r"(?m)^([a-z0-9-]+):", (ROOT / "Makefile").read_text()))
    commands = set(re.findall(r"(?m)^  ([a-z-]+) ", run("--help", cwd=ROOT).stdout))
    mentioned = inline(page) + [step for _, step, _ in STEPS if _ is page]
    for text in mentioned:
        words = text.split()
        if words[0] == "make":
            names = [word for word in words[1:] if re.fullmatch(r"[a-z0-9-]+", word)]
            assert set(names) <= targets, text
        if words[0] in ("sluice", "build/sluice") and len(words) > 1 and not words[1].startswith("-"):
            assert words[1] in commands, text
            help_text = run(words[1], "--help", cwd=ROOT).stdout
            for option in re.findall(r"--[a-z-]+", text):
                assert option in help_text, text


def anchors(text):
    """The anchors that GitHub makes of a page's headings."""
    return {re.sub(r"[^a-z0-9_ -]", "", name.lower()).replace(" ", "-") for name in re.findall(r"(?m)^#+ (.*)", text)}


@pytest.mark.parametrize("page", PAGES + DEPLOY)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)]+)\)", TEXTS[page]):
        if not target.startswith("http"):
            name, _, anchor = target.partition("#")
            path = (ROOT / page).parent / name if name else ROOT / page
            assert path.exists(), target
            assert not anchor or anchor in anchors(path.read_text()), target


def test_the_overview_lists_the_manual():
    assert set(re.findall(r"(?m)^\| \[(\w+)\.md\]", TEXTS["docs/operations.md"])) == set(MANUAL) - {"operations"}


def test_the_shipped_configuration_is_what_its_schema_says():
    """If this fails, run `make describe`."""
    shipped = (ROOT / "conf/sluice.yaml").read_text()
    command = ["/usr/bin/python3", "-B", ROOT / "tests/lint/describe.py"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == shipped
    assert run("describe", cwd=ROOT).stdout == shipped


def test_names_in_the_manual_exist():
    """Log events, settings and metrics that its pages name must exist in the program."""
    page = "\n".join(TEXTS[f"docs/{name}.md"] for name in MANUAL)
    sources = "\n".join(
        path.read_text()
        for folder in ("base", "aws", "schema", "settings", "delivery", "handlers", "server", "conf")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in (".c", ".h", ".json", ".yaml", ".service")
    )
    words = set(re.findall(r"[A-Za-z0-9_]+", sources))
    for name in set(re.findall(r"`([a-z]+(?:_[a-z0-9]+)+)(?:\{[^}]*\})?`", page)):
        assert name in words | OTHERS_NAMES, name
    schema = json.loads((ROOT / "conf/sluice.schema.json").read_text())["properties"]
    for name in set(re.findall(r"`([a-z_]+(?:\.[a-z_]+)+)(?:: [^`]*)?`", page)):
        here = {"properties": schema}
        parts = name.split(".")
        if parts[0] not in schema:
            continue
        for part in parts:
            here = here.get("items", here).get("properties", {}).get(part)
            assert here is not None, name


# make install


@pytest.fixture
def installed(tmp_path):
    """Install below tmp_path. The fixture is a function that installs again."""

    def install(root="", prefix=tmp_path / "usr", conf=tmp_path / "etc"):
        env = {"DESTDIR": str(root), "PREFIX": str(prefix), "SYSCONFDIR": str(conf)}
        subprocess.run(
            [ROOT / "conf/deploy/install.sh", BINARY], env=environment() | env, cwd="/", check=True, capture_output=True
        )
        return tmp_path

    return install


def test_what_is_installed_serves_from_any_folder(installed, event):
    place = installed()
    nowhere = place / "nowhere"
    nowhere.mkdir()
    config = place / "etc/sluice/sluice.yaml"
    program = place / "usr/bin/sluice"
    env = environment({"STATE_DIRECTORY": str(place / "state"), "SLUICE_LISTEN": "127.0.0.1:0"})
    checked = subprocess.run([program, "check", "-c", config], cwd=nowhere, env=env, check=False, capture_output=True)
    assert (checked.returncode, checked.stderr) == (0, b""), checked
    server = subprocess.Popen([program, "-c", config], cwd=nowhere, env=env, stdout=subprocess.PIPE)
    port = json.loads(server.stdout.readline())["port"]
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
        body = json.dumps(event).encode()
        head = f"POST /events HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
        connection.sendall(head.encode() + body)
        assert connection.recv(4096).startswith(b"HTTP/1.1 200 ")
    records = place / "state/records.ndjson"
    deadline = time.monotonic() + PATIENCE
    while not (records.exists() and records.read_text().endswith("\n")):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    server.terminate()
    assert server.wait(PATIENCE) == 0
    assert list(nowhere.iterdir()) == []
    examples = sorted((place / "usr/share/doc/sluice/examples").glob("*/sluice.yaml"))
    for example in examples:
        told = subprocess.run([program, "check", "--offline", "-c", example], cwd=nowhere, env=env, check=False, capture_output=True, text=True)
        assert told.returncode == 0, told
    assert len(examples) == 7


def test_packages_have_their_own_places(installed, tmp_path):
    root = installed(tmp_path / "root", "/usr", "/etc") / "root"
    unit = (root / "usr/lib/systemd/system/sluice.service").read_text()
    assert "ExecStart=/usr/bin/sluice serve -c /etc/sluice/sluice.yaml" in unit
    assert str(tmp_path) not in unit + (root / "etc/sluice/sluice.yaml").read_text()
    for name in (
        "usr/bin/sluice",
        "usr/share/man/man1/sluice.1",
        "usr/share/man/man1/sluice-check.1",
        "usr/share/bash-completion/completions/sluice",
        "usr/share/zsh/site-functions/_sluice",
        "usr/share/fish/vendor_completions.d/sluice.fish",
        "usr/lib/sysusers.d/sluice.conf",
        "usr/lib/tmpfiles.d/sluice.conf",
        "usr/share/sluice/acme-hook.sh",
        "usr/share/doc/sluice/deploy/machine.md",
        "usr/lib/systemd/system/sluice.socket",
        "etc/sluice/schemas/GenesysInteractionRegistry/InteractionStartedSchema.json",
        "etc/sluice/transforms/interaction.started.yaml",
        "etc/sluice/sluice.schema.json",
        "usr/share/doc/sluice/samples/interaction.started.json",
    ):
        assert (root / name).is_file(), name
    materials = json.loads((root / "usr/share/sluice/sbom.cdx.json").read_text())
    assert (materials["bomFormat"], materials["metadata"]["component"]["name"]) == ("CycloneDX", "sluice")
    assert len(materials["components"]) > 10
    assert all({"type", "bom-ref", "name"} <= part.keys() for part in materials["components"])


def test_what_the_operator_has_edited_is_kept(installed):
    config = installed() / "etc/sluice/sluice.yaml"
    assert not config.with_suffix(".yaml.new").exists()
    shipped = config.read_text()
    config.write_text("http: {}\n")
    installed()
    assert config.read_text() == "http: {}\n"
    assert config.with_suffix(".yaml.new").read_text() == shipped
