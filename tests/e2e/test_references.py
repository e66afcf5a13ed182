"""`$ref` to other schemas of the registry, by name and by `$id`, and changes of these schemas."""

import json

import pytest
import yaml

from glue_server import REGISTRY
from server import merge, put_schema, put_transform, defaults, route, run

DRAFT = {"$schema": "http://json-schema.org/draft-07/schema#"}
TEXT, NUMBER = DRAFT | {"type": "string"}, DRAFT | {"type": "integer"}
BY_ID = "https://example.com/schemas/part"


def refers(reference, **more):
    return DRAFT | {"properties": {"x": {"$ref": reference}}} | more


def put_nothing(folder):
    return put_transform(folder, "nothing", [{"name": "x", "from": "/y"}])


def status(server, value):
    return server.post({"detail": {"x": value}}).status


@pytest.mark.parametrize(
    ("reference", "whole", "part"),
    [
        ("Part.json", {}, {}),
        ("./common/Part.json#/definitions/part", {}, {}),
        ("../Elsewhere/Part.json", {}, {}),
        (f"{REGISTRY}/Part", {}, {}),
        (BY_ID, {}, {"$id": BY_ID}),
        (f"{BY_ID}#/definitions/part", {}, {"$id": f"{BY_ID}#"}),
        ("part", {"$id": "https://example.com/schemas/whole"}, {"$id": BY_ID}),
        ("Part.json", {"$id": "https://example.com/schemas/whole"}, {}),
    ],
)
def test_files_refer_to_each_other(folder, sluice, reference, whole, part):
    place = folder / "conf/schemas" / REGISTRY
    if "common" in reference:
        place = place / "common"
    elif "Elsewhere" in reference:
        place = place.parent / "Elsewhere"
    place.mkdir(parents=True, exist_ok=True)

    def put_part(schema):
        text = json.dumps(schema | part | {"definitions": {"part": schema}})
        (place / "Part.new").write_text(text)
        (place / "Part.new").rename(place / "Part.json")

    put_part(TEXT)
    put_schema(folder, "Whole", refers(reference, **whole))
    server = sluice(routes=[route(schema="Whole", transform=put_nothing(folder))])
    assert (status(server, "a"), status(server, 1)) == (200, 400)
    live = server.get("/readyz").json
    put_part(NUMBER)
    server.wait_log(event="schema_guard", schema="Whole")  # the new schema refuses events that were accepted
    server.wait_text(lambda line: line.count("schema_live") and "+" in line)
    assert (status(server, "a"), status(server, 1)) == (400, 200)
    assert server.get("/readyz").json != live


def test_a_part_that_appears_is_found(folder, sluice):
    put_schema(folder, "Whole", refers("Part.json"))
    server = sluice(routes=[route(schema="Whole", transform=put_nothing(folder))])
    server.wait_log(event="schema_warning", warning='at /properties/x/$ref: "Part.json" leads nowhere')
    assert status(server, "a") == 500
    put_schema(folder, "Part", TEXT)
    server.wait_text(lambda line: "schema_live" in line and "+" in line)
    assert (status(server, "a"), status(server, 1)) == (200, 400)


def test_a_part_that_breaks_or_vanishes_changes_nothing(folder, sluice):
    put_schema(folder, "Part", TEXT)
    put_schema(folder, "Whole", refers("Part.json"))
    server = sluice(routes=[route(schema="Whole", transform=put_nothing(folder))])
    part = folder / "conf/schemas" / REGISTRY / "Part.json"
    part.write_text('{"type":')
    server.wait_log(event="schema_refresh_failed", schema="Whole")
    assert (status(server, "a"), status(server, 1)) == (200, 400)


def test_nothing_outside_the_folder_is_read(folder, sluice):
    (folder / "conf/outside.json").write_text(json.dumps(TEXT))
    put_schema(folder, "Whole", refers("../../outside.json"))
    server = sluice(routes=[route(schema="Whole", transform=put_nothing(folder))])
    server.wait_log(event="schema_warning")
    assert status(server, "a") == 500


@pytest.mark.emulator_only("faults")
@pytest.mark.parametrize("reference", ["Parts/Part", BY_ID])
def test_schemas_of_glue_refer_to_each_other(folder, sluice, glue, reference):
    glue.put(TEXT | {"$id": BY_ID}, schema="Part", registry="Parts")
    glue.put(refers(reference), schema="Whole")
    nothing = str(folder / put_nothing(folder))
    settings = {
        "env": glue.environment(),
        "aws": glue.config(),
        "registry": {"kind": "glue", "refresh": "50ms", "cache_dir": str(folder / "cache")},
        "routes": [
            route(schema="Part", registry="Parts", match={"source": "part"}, transform=nothing),
            route(schema="Whole", transform=nothing),
        ],
    }
    server = sluice(**settings)
    server.wait_text(lambda line: "schema_live" in line and "Whole" in line)
    assert (status(server, "a"), status(server, 1)) == (200, 400)
    glue.put(NUMBER | {"$id": BY_ID}, schema="Part", registry="Parts")
    server.wait_log(event="schema_guard", schema="Whole")
    server.wait_text(lambda line: "schema_live" in line and "Whole" in line and '"1+' in line)
    server.wait_log(event="schema_live", schema="Part", version="2")
    server.stop()
    glue.fault("unavailable")
    again = sluice(**settings)  # the referenced schemas are in the cache too
    assert again.get("/readyz").status == 200
    assert (status(again, "a"), status(again, 1)) == (400, 200)


def test_the_command_line_finds_parts_and_warns(folder):
    put_schema(folder, "Part", TEXT)
    put_schema(folder, "Whole", refers("Part.json"))
    put_schema(folder, "Odd", {"$schema": "urn:mine", "propertys": {"x": {"$ref": "Part.json"}}})
    nothing = put_nothing(folder)
    for schema in ("Whole", "Odd"):
        config = merge(defaults(), {"routes": [route(schema=schema, transform=nothing)]})
        (folder / f"{schema}.yaml").write_text(yaml.safe_dump(config))
    done = run("schema", "verify", "-c", "Whole.yaml", cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    done = run("check", "-c", "Odd.yaml", cwd=folder)
    assert done.returncode == 0
    for warning in (
        'at /$schema: "urn:mine" is no known draft, read as 2020-12',
        'at /propertys: unknown keyword, is "properties" meant?',
    ):
        assert f"routes[0].schema: {REGISTRY}/Odd: {warning}" in done.stderr
        assert f"warning: {warning}" in run("schema", "verify", "-c", "Odd.yaml", cwd=folder).stderr
