#!/usr/bin/python3
"""Random schemas and instances: the same verdict from our engine and from Debian's jsonschema.

    differential.py [BOWTIE] [SCHEMAS] [SEED]     default build/bowtie, 5000, 1

Each schema meets five instances, so that at least 20,000 pairs are compared; fewer are a failure,
and so is any verdict that differs. Our side runs as Bowtie would run it, in one batch. The
generator keeps away from what jsonschema 4.10.3 is known to get wrong or to read otherwise:

- unevaluatedItems and unevaluatedProperties: it counts marks of branches that fail, and in 2019-09
  those of `contains`; the official suite is the judge of ours;
- `dependencies` in 2019-09 and 2020-12, which we keep for compatibility and it does not know;
- patterns outside ASCII, where Python's \\d, \\w, \\s and $ are not ECMA-262's;
- `format`, which asserts nothing on either side;
- `additionalItems: false`, over whose message it stumbles when the items cannot be sorted;
- numbers beyond a double's range, at which it raises exceptions.
"""

import json
import random
import subprocess
import sys
import warnings

warnings.simplefilter("ignore")
import jsonschema  # noqa: E402

DIALECTS = {
    "4": "http://json-schema.org/draft-04/schema#",
    "6": "http://json-schema.org/draft-06/schema#",
    "7": "http://json-schema.org/draft-07/schema#",
    "2019-09": "https://json-schema.org/draft/2019-09/schema",
    "2020-12": "https://json-schema.org/draft/2020-12/schema",
}
ORDER = list(DIALECTS)
INSTANCES = 5
PROMISED = 20000
NAMES = ["a", "b", "c", "ab", "a/b", "é", ""]
TYPES = ["string", "integer", "number", "object", "array", "null", "boolean"]
PATTERNS = ["^a", "b$", "[0-9]", "^.b", "a|c", "^$"]


class Generator:
    """Schemas of one draft, and values likely to touch them."""

    def __init__(self, rng, draft):
        self.rng = rng
        self.draft = draft
        self.since = ORDER.index(draft)

    def at_least(self, draft):
        return self.since >= ORDER.index(draft)

    def value(self, depth=2):
        rng = self.rng
        kind = rng.randrange(9 if depth > 0 else 6)
        if kind == 0:
            return rng.choice([0, 1, 2, 3, -1, 5, 10, 2**53 + 1, 10**20])
        if kind == 1:
            return rng.choice([0.5, 1.0, 2.5, -0.0, 3.0, 1e20, 0.3])
        if kind == 2:
            return rng.choice(["", "a", "ab", "abc", "é", "b1", "\U0001f600"])
        if kind == 3:
            return rng.choice([True, False])
        if kind == 4:
            return None
        if kind == 5:
            return rng.choice([1, "a", 0, False])
        if kind == 6:
            return [self.value(depth - 1) for _ in range(rng.randrange(4))]
        return {name: self.value(depth - 1) for name in rng.sample(NAMES, rng.randrange(4))}

    def unique(self, count):
        values = []
        for _ in range(count):
            value = self.value(1)
            if all(not equal(value, other) for other in values):
                values.append(value)
        return values

    def leaf(self):
        rng = self.rng
        if self.at_least("6") and rng.random() < 0.2:
            return rng.choice([True, False])
        return rng.choice(
            [
                {"type": rng.choice(TYPES)},
                {"type": rng.sample(TYPES, 2)},
                {"minimum": rng.choice([1, 2.5])},
                {"enum": self.unique(2)},
                {"minLength": rng.randrange(3)},
                {},
            ]
        )

    def schema(self, depth):
        rng = self.rng
        if depth <= 0 or rng.random() < 0.1:
            return self.leaf()
        keywords = [
            "type properties patternProperties additionalProperties required items enum limits "
            "lengths sizes pattern anyOf oneOf allOf not uniqueItems multipleOf ref"
        ][0].split()
        if not self.at_least("2019-09"):
            keywords.append("dependencies")
        if self.at_least("6"):
            keywords += ["const", "contains", "propertyNames"]
        if self.at_least("7"):
            keywords += ["if", "if"]
        if self.at_least("2019-09"):
            keywords += ["dependentRequired", "dependentSchemas"]
        schema = {}
        for keyword in rng.sample(keywords, rng.choice([1, 1, 2, 2, 3, 4])):
            getattr(self, "add_" + keyword)(schema, depth - 1)
        return schema

    def add_type(self, schema, _):
        schema["type"] = self.rng.choice([*TYPES, ["string", "integer"]])

    def add_properties(self, schema, depth):
        names = self.rng.sample(NAMES, self.rng.randrange(1, 4))
        schema["properties"] = {name: self.schema(depth) for name in names}

    def add_patternProperties(self, schema, depth):
        patterns = self.rng.sample(PATTERNS, self.rng.randrange(1, 3))
        schema["patternProperties"] = {pattern: self.schema(depth) for pattern in patterns}

    def add_additionalProperties(self, schema, depth):
        schema["additionalProperties"] = self.rng.choice([False, self.schema(depth)])

    def add_required(self, schema, _):
        schema["required"] = self.rng.sample(NAMES, self.rng.randrange(1, 3))

    def add_items(self, schema, depth):
        rng = self.rng
        several = [self.schema(depth) for _ in range(rng.randrange(1, 3))]
        if self.draft == "2020-12":
            if rng.random() < 0.5:
                schema["prefixItems"] = several
            if rng.random() < 0.7:
                schema["items"] = self.schema(depth)
            return
        schema["items"] = several if rng.random() < 0.5 else several[0]
        if isinstance(schema["items"], list) and rng.random() < 0.7:
            other = self.schema(depth)
            schema["additionalItems"] = {"not": {}} if other is False else other

    def add_enum(self, schema, _):
        schema["enum"] = self.unique(3)

    def add_limits(self, schema, _):
        rng = self.rng
        bound = rng.choice(["minimum", "maximum"])
        exclusive = "exclusive" + bound.capitalize()
        limit = rng.choice([0, 1, 2, 2.5, 2**53])
        if self.draft == "4":
            schema[bound] = limit
            if rng.random() < 0.5:
                schema[exclusive] = rng.choice([True, False])
        else:
            schema[rng.choice([bound, exclusive])] = limit

    def add_lengths(self, schema, _):
        schema[self.rng.choice(["minLength", "maxLength"])] = self.rng.randrange(3)

    def add_sizes(self, schema, _):
        what = self.rng.choice(["minProperties", "maxProperties", "minItems", "maxItems"])
        schema[what] = self.rng.randrange(3)

    def add_pattern(self, schema, _):
        schema["pattern"] = self.rng.choice(PATTERNS)

    def add_anyOf(self, schema, depth, keyword="anyOf"):
        schema[keyword] = [self.schema(depth) for _ in range(self.rng.randrange(1, 4))]

    def add_oneOf(self, schema, depth):
        self.add_anyOf(schema, depth, "oneOf")

    def add_allOf(self, schema, depth):
        self.add_anyOf(schema, depth, "allOf")

    def add_not(self, schema, depth):
        schema["not"] = self.schema(depth)

    def add_uniqueItems(self, schema, _):
        schema["uniqueItems"] = True

    def add_multipleOf(self, schema, _):
        schema["multipleOf"] = self.rng.choice([2, 3, 0.5, 0.1, 1e-8])

    def add_dependencies(self, schema, depth):
        needs = self.rng.choice([["a", "b"], ["c"], self.schema(depth)])
        schema["dependencies"] = {self.rng.choice(NAMES): needs}

    def add_const(self, schema, _):
        schema["const"] = self.value(1)

    def add_contains(self, schema, depth):
        schema["contains"] = self.schema(depth)
        if self.at_least("2019-09"):
            for keyword in ("minContains", "maxContains"):
                if self.rng.random() < 0.4:
                    schema[keyword] = self.rng.randrange(3)

    def add_propertyNames(self, schema, depth):
        schema["propertyNames"] = self.schema(depth)

    def add_if(self, schema, depth):
        schema["if"] = self.schema(depth)
        for keyword in ("then", "else"):
            if self.rng.random() < 0.7:
                schema[keyword] = self.schema(depth)

    def add_dependentRequired(self, schema, _):
        schema["dependentRequired"] = {self.rng.choice(NAMES): ["a", "c"]}

    def add_dependentSchemas(self, schema, depth):
        schema["dependentSchemas"] = {self.rng.choice(NAMES): self.schema(depth)}

    def add_ref(self, schema, _):
        schema["$ref"] = self.rng.choice(["#/definitions/x", "#/definitions/y"])

    def document(self):
        """A whole one; its definitions refer to nothing, so that nothing goes round in circles."""
        schema = {"$schema": DIALECTS[self.draft], "allOf": [self.schema(3)]}
        while True:
            schema["definitions"] = {"x": self.schema(1), "y": self.schema(1)}
            if '"$ref"' not in json.dumps(schema["definitions"]):
                return schema


def equal(a, b):
    """As JSON Schema sees it."""
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(equal, a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(equal(a[key], b[key]) for key in a)
    return a == b


def make_cases(count, seed):
    rng = random.Random(seed)
    for _ in range(count):
        generator = Generator(rng, rng.choice(ORDER))
        yield generator.document(), [generator.value(3) for _ in range(INSTANCES)]


def ours(bowtie, cases):
    """A list of verdicts for each case."""
    commands = [{"cmd": "start", "version": 1}]
    commands += [
        {
            "cmd": "run",
            "seq": number,
            "case": {
                "description": "",
                "schema": schema,
                "tests": [{"description": "", "instance": value} for value in values],
            },
        }
        for number, (schema, values) in enumerate(cases)
    ]
    commands.append({"cmd": "stop"})
    text = "".join(json.dumps(command) + "\n" for command in commands)
    done = subprocess.run([bowtie], input=text, stdout=subprocess.PIPE, text=True, check=True)
    for line in done.stdout.splitlines()[1:]:
        answer = json.loads(line)
        if answer.get("errored"):
            yield answer["context"]["message"]
        else:
            yield [result.get("valid") for result in answer["results"]]


def theirs(schema, values):
    validator = jsonschema.validators.validator_for(schema)(schema)
    return [validator.is_valid(value) for value in values]


def main():
    arguments = dict(enumerate(sys.argv[1:]))
    bowtie = arguments.get(0, "build/bowtie")
    cases = list(make_cases(int(arguments.get(1, 5000)), int(arguments.get(2, 1))))
    pairs = differences = valid = 0
    for (schema, values), answer in zip(cases, ours(bowtie, cases), strict=True):
        expected = theirs(schema, values)
        pairs += len(values)
        valid += sum(expected)
        if answer != expected:
            differences += 1
            print("schema", json.dumps(schema), "instances", json.dumps(values), sep="\n  ")
            print("  jsonschema", expected, "ours", answer)
    print(f"differential: {pairs} pairs, {valid} valid, {differences} cases differ")
    if pairs < PROMISED or not pairs / 4 < valid < pairs * 3 / 4:
        print(f"differential: promised are {PROMISED} pairs, a good part of them valid")
        return 1
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
