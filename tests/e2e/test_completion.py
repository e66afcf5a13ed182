"""Manual pages and completions: made from the tables of the commands, and correct for the programs that read them."""

import re
import shutil
import subprocess

import pytest

import server


def run(*words):
    return server.run(*words, cwd="/")


@pytest.fixture(scope="module")
def pages():
    """The page of each command."""
    names = run("man").stdout.split()
    assert names == re.findall(r"(?m)^  ([a-z-]+) ", run("--help").stdout)
    return {name: run("man", name).stdout for name in names}


def test_a_page_has_all_options_of_its_command(pages):
    for name, page in pages.items():
        for option in re.findall(r"(?m)^  .*?--([a-z-]+)", run(name, "--help").stdout):
            assert f"--{option}".replace("-", r"\-") in page, (name, option)


def test_groff_has_no_complaint(pages):
    if not shutil.which("groff"):
        pytest.skip("no groff here")
    told = subprocess.run(
        ["groff", "-man", "-ww", "-z"], input="".join(pages.values()), text=True, capture_output=True, check=False
    )
    assert (told.returncode, told.stderr) == (0, "")


def test_an_unknown_name_is_a_wrong_call():
    for words in (["man", "nonsense"], ["completion"], ["completion", "tcsh"]):
        result = run(*words)
        assert (result.returncode, result.stdout) == (2, "")


def complete(script, *words):
    """What bash offers for the last of the words."""
    quoted = " ".join(f"'{word}'" for word in words)
    program = f'COMP_WORDS=({quoted}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); _sluice; printf "%s\\n" "${{COMPREPLY[@]}}"'
    told = subprocess.run(["bash", "-c", f"{script}\n{program}"], text=True, capture_output=True, check=True)
    assert told.stderr == ""
    return told.stdout.split()


def test_bash_completes_commands_actions_options_and_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file.yaml").touch()
    script = run("completion", "bash").stdout
    assert complete(script, "sluice", "che") == ["check"]
    assert complete(script, "sluice", "outbox", "p") == ["pause"]
    assert complete(script, "sluice", "check", "--of") == ["--offline"]
    assert complete(script, "sluice", "check", "-c", "fi") == ["file.yaml"]
    assert complete(script, "sluice", "rejected", "list", "--since", "fi") == []
    assert complete(script, "sluice", "explain", "fi") == ["file.yaml"]


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_can_read_theirs(tmp_path, shell):
    if not shutil.which(shell):
        pytest.skip(f"no {shell} here")
    path = tmp_path / "completion"
    path.write_text(run("completion", shell).stdout)
    subprocess.run([shell, "-n", path], check=True)


def test_fish_offers_each_command():
    script = run("completion", "fish").stdout
    for name in run("man").stdout.split():
        assert f"-f -a {name} -d '" in script
    assert "-n '__fish_seen_subcommand_from outbox; and not __fish_seen_subcommand_from status pause" in script


@pytest.mark.parametrize("name", ["rejected", "dead", "outbox"])
def test_each_action_in_the_usage_is_completed(name):
    usage = re.findall(rf"(?m)^(?:Usage:)? +sluice {name} ([a-z-]+)", run(name, "--help").stdout)
    assert set(complete(run("completion", "bash").stdout, "sluice", name, "")) == set(usage)
