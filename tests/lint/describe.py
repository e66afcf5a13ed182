#!/usr/bin/python3
"""Write the annotated configuration file, conf/sluice.yaml, to standard output; `make describe` runs this.

The file is written from conf/sluice.schema.json: each key with its description and its default, or
with the schema's `x-shipped` instead of the default. The keys of a list's elements are described
above the list, because the list may be empty.
"""
import json
import pathlib
import re
import textwrap

SCHEMA = pathlib.Path(__file__).parents[2] / "conf/sluice.schema.json"
COLUMNS = 100
# A text that needs no quotes, also between braces, and that YAML reads as a string.
NO_STRING = r"null|true|false|\.inf|\.nan|[\d.]+(e-?\d+)?|0x[\da-f]+|0o[0-7]+"
PLAIN = re.compile(rf"(?![-:])(?!({NO_STRING})$)[\w./:-]*[\w./-]", re.ASCII | re.IGNORECASE)


def comment(indent, text, hang=""):
    lead = indent + "# "
    return textwrap.fill(text, COLUMNS, initial_indent=lead, subsequent_indent=lead + hang,
                         break_long_words=False, break_on_hyphens=False)


def value(item):
    """`item` on one line."""
    if isinstance(item, dict):
        members = ", ".join(f"{value(key)}: {value(member)}" for key, member in item.items())
        return f"{{ {members} }}" if members else "{}"
    if isinstance(item, list):
        return f"[{', '.join(map(value, item))}]"
    if isinstance(item, str) and PLAIN.fullmatch(item):
        return item
    return json.dumps(item, ensure_ascii=False)


def words(schema):
    choices = f" ({' | '.join(map(value, schema['enum']))})" if "enum" in schema else ""
    return schema["description"] + choices


def element_keys(indent, items):
    for key, schema in items.get("properties", {}).items():
        text = f"  {key}: {words(schema)}"
        if key in items.get("required", ()):
            text += " Required."
        elif "default" in schema:
            text += f" Default: {value(schema['default'])}"
        yield comment(indent, text, "    ")


def example(indent, schema):
    for first in schema.get("examples", ())[:1]:
        if not isinstance(first, list):
            yield f"{indent}# Example: {value(first)}"
            continue
        for number, item in enumerate(first):
            yield f"{indent}# {'Example:' if number == 0 else '        '} - {value(item)}"


def default(indent, key, schema):
    shipped = schema.get("x-shipped", schema.get("default"))
    if not isinstance(shipped, list) or not shipped:
        yield f"{indent}{key}: {schema['x-shipped'] if 'x-shipped' in schema else value(shipped)}"
        return
    yield f"{indent}{key}:"
    for item in shipped:
        for number, (name, member) in enumerate(item.items()):
            yield f"{indent}  {'- ' if number == 0 else '  '}{name}: {value(member)}"


def properties(indent, schema):
    for key, inner in schema["properties"].items():
        if not indent:
            yield ""
        yield comment(indent, words(inner))
        yield from element_keys(indent, inner.get("items", {}))
        yield from example(indent, inner)
        if "properties" in inner:
            yield f"{indent}{key}:"
            yield from properties(indent + "  ", inner)
        else:
            yield from default(indent, key, inner)


def describe(schema):
    yield f"# yaml-language-server: $schema={SCHEMA.name}\n#"
    yield comment("", schema["title"]) + "\n#"
    yield comment("", schema["description"])
    yield "# All values below are the defaults, except the sink, values from the environment, and paths."
    yield from properties("", schema)


if __name__ == "__main__":
    print("\n".join(describe(json.loads(SCHEMA.read_text()))))
