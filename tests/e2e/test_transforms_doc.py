"""docs/transforms.md: each example gives the record that the page shows."""

import json
import re

import pytest
import yaml

from server import ROOT, run

PAGE = (ROOT / "docs/transforms.md").read_text()
EXAMPLE = r"### (\d+\. .*?)\n.*?```yaml\n(.*?)```\n```json\n(.*?)```\n```json\n(.*?)```"
EXAMPLES = re.findall(EXAMPLE, PAGE, re.DOTALL)


def test_there_are_ten():
    assert [title.split(".")[0] for title, *_ in EXAMPLES] == [str(number) for number in range(1, 11)]


def test_the_page_and_the_schema_have_the_same_conversions():
    schema = json.loads((ROOT / "conf/transform.schema.json").read_text())["$defs"]["conversion"]
    names = {*schema["then"]["enum"], *schema["properties"]}
    table = PAGE[PAGE.index("## Conversions") : PAGE.index("## If you know")]
    told = set(re.findall(r"`\{? ?([a-z_0-9]+)(?:: [^`]*)?`", re.sub(r"\| [^|\n]* \|\n", "|\n", table)))
    assert names == told - {"too_expensive"}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("examples")
    (folder / "R").mkdir()
    (folder / "R/S.json").write_text("{}")
    routes, tests = [], []
    for number, (title, transform, payload, record) in enumerate(EXAMPLES):
        (folder / f"{number}.yaml").write_text(transform)
        match = {"detail-type": str(number)}
        routes.append({"match": match, "registry": "R", "schema": "S", "transform": f"{number}.yaml", "name": f"n{number}"})
        event = {"id": "e-1", "region": "eu-west-1", "detail-type": str(number), "detail": json.loads(payload)}
        tests.append({"name": title, "event": event, "expect": {"status": 200, "record": json.loads(record)}})
    routes[1]["name"] = "example"
    conf = {"store": {"path": ""}, "sinks": [], "registry": {"dir": "."}, "routes": routes}
    (folder / "sluice.yaml").write_text(yaml.safe_dump(conf))
    (folder / "tests.yaml").write_text(yaml.safe_dump({"tests": tests}))
    return run("test", "-c", "sluice.yaml", "tests.yaml", cwd=folder)


@pytest.mark.parametrize("title", [title for title, *_ in EXAMPLES])
def test_an_example_gives_its_record(results, title):
    assert f" - {title}\n" in results.stdout
    assert re.search(rf"^ok \d+ - {re.escape(title)}$", results.stdout, re.MULTILINE), results.stdout
