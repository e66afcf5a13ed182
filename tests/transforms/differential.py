"""Random transforms of random events: the record is valid JSON, the same each time, and equals that of a model.

    differential.py PROGRAM COUNT [SEED]

PROGRAM is the program of transform.c. Prints what differs; exits with 1 then.
"""

import json
import random
import subprocess
import sys
import tempfile

import model

NAMES = ["n1", "n2", "n3", "n4", "a", "b"]
KEYS = ["a", "b", "c", "d"]
TIMES = ["2024-01-15T00:30:00.1230+01:00", "2024-01-15t10:30:00z", "2024-02-30T10:30:00Z", "2024-01-15T10:30:00", "2024-02-29", "9999-12-31T23:59:59-00:01"]
TEXTS = ["", "x", "AbC", " a b ", "1", "12.50", "true", "äÖ😀", "a,b,,c", "x-1-y", '{"a":[1]}', "[]", "null", 'q"\\\n', "\u00a0z\u2003"]
NUMBERS = ["0", "-0", "1", "-1", "2000", "19.90", "0.05", "-0.50", "12.0", "1e3", "-1.5E-2", "12345678901234567890123", "1795161600", "0.0"]


class Maker:
    def __init__(self, random_, secret):
        self.random = random_
        self.secret = secret

    def some(self, choices):
        return self.random.choice(choices)

    def chance(self, percent):
        return self.random.random() * 100 < percent

    # Events.

    def scalar(self):
        kind = self.random.randrange(8)
        if kind < 3:
            return self.some(TIMES if self.chance(10) else TEXTS)
        if kind < 6:
            return model.Number(self.some(NUMBERS))
        return self.some([None, True, False])

    def value(self, depth):
        kind = self.random.randrange(10)
        if depth == 0 or kind < 4:
            return self.scalar()
        if kind < 7:
            return {key: self.value(depth - 1) for key in self.random.sample(KEYS, self.random.randrange(5))}
        return [self.value(depth - 1) for _ in range(self.random.randrange(4))]

    def event(self):
        detail = self.value(4) if self.chance(3) else {key: self.value(3) for key in KEYS if self.chance(85)}
        return {"id": "e-1", "region": "eu", "detail": detail}

    # Transforms.

    def pointer(self, level):
        length = self.some([0, 1, 1, 1, 1, 1, 1, 2, 3])
        path = "".join("/" + self.some(KEYS * 3 + ["0", "1"]) for _ in range(length))
        prefix = self.some([""] * 8 + ["payload:", "event:", "meta:"] + ["parent:"] * (2 if level else 0))
        if prefix == "meta:":
            return self.some(["meta:/key", "meta:/route", "meta:/trace_id", "meta:/received_at"])
        return prefix + (self.some(["/id", "/region", "/detail/a", ""]) if prefix == "event:" else path)

    def step(self):
        if self.chance(50):
            return self.some(list(model.PLAIN))
        return self.some(
            [
                {"split": self.some([",", "-", "ab"])},
                {"join": self.some(["", "-"])},
                {"extract": self.some(["[a-z]+", "^(.)", "(b)|(c)", "([0-9]+)[.]?", "q"])},
                {"replace": self.some([["[a-z]", "<$&>"], ["(.)(.)", "$2$1"], ["x*", "-"], ["[,.]", "$$"]])},
                {"slice": self.some([[0, 2], [1], [-2], [1, -1], [5, 9]])},
                {"shift": self.some([-3, -2, -1, 0, 1, 2, 5])},
                {"mask": self.some([0, 1, 2, 4])},
                {"hmac_sha256": self.secret},
            ]
        )

    def conversions(self):
        return self.step() if self.chance(50) else [self.step() for _ in range(self.random.randrange(1, 4))]

    def condition(self):
        return self.some(["x", "1", "", True, None, model.Number("1"), {"exists": True}, {"exists": False}, {"prefix": "x"}, {"anything-but": ["x", "1"]}])

    def pattern(self):
        return {key: [self.condition() for _ in range(self.some([1, 1, 2]))] for key in self.random.sample(KEYS, self.some([1, 1, 2]))}

    def add(self, field, name, percent, value):
        if self.chance(percent):
            field[name] = value()

    def common(self, field, converts):
        self.add(field, "default", 40, lambda: self.value(1))
        self.add(field, "required", 8, lambda: "wanted")
        self.add(field, "skip", 35, lambda: self.some(["absent", "null", "empty"]))
        if converts:
            self.add(field, "as", 20, self.conversions)
            self.add(field, "map", 20, lambda: {"x": "X", "1": 1, "true": None, "-0.5": "half"})
            if "map" in field:
                self.add(field, "otherwise", 50, lambda: self.value(1))
        return field

    def field(self, name, depth, level):
        kind = self.random.randrange(12)
        if kind == 0:
            return {"name": name, "value": self.value(2)}
        if kind == 1:
            return self.common({"name": name, "text": self.some(["{/a}", "{/a}-{event:/id}", "{{{/b/0}}} }", "{}"])}, True)
        if kind == 2:
            field = {"copy": self.pointer(level)}
            self.add(field, "without", 40, lambda: ["/" + self.some(KEYS)])
            self.add(field, "skip", 50, lambda: "empty")
            return field
        if kind in (3, 4) and depth:
            field = {"name": name, "fields": self.fields(depth - 1, level)}
            self.add(field, "keep", 20, lambda: True)
            self.add(field, "default", 20, lambda: None)
            return field
        if kind in (5, 6, 7) and depth:
            field = {"name": name, "each": [self.pointer(level) for _ in range(self.random.randrange(1, 3))]}
            self.add(field, "where", 25, self.pattern)
            if self.chance(50):
                self.common(field, False)["fields"] = self.fields(depth - 1, level + 1)
            else:
                self.common(field, True)["from"] = self.pointer(level + 1)
            return field
        return self.common({"name": name, "from": [self.pointer(level) for _ in range(self.random.randrange(1, 4))]}, True)

    def fields(self, depth, level):
        names = self.random.sample(NAMES, self.random.randrange(1, 5))
        fields = [self.field(name, depth, level) for name in names]
        for field in fields:
            self.add(field, "when", 15, self.pattern)
        if self.chance(15):
            twin = fields[0].get("name", "twin")
            fields[0]["when"] = self.pattern()
            fields.append({"name": twin, "value": 2, "when": self.pattern()})
        return fields

    def transform(self):
        drop = {"drop_when": self.pattern()} if self.chance(5) else {}
        return drop | {"fields": self.fields(self.some([2, 2, 2, 4]), 0)}


def expected(case):
    try:
        return model.record(case["transform"], case["event"])
    except model.Refused:
        return None


def main():
    program, count = sys.argv[1], int(sys.argv[2])
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else random.SystemRandom().randrange(10**9)
    with tempfile.NamedTemporaryFile() as secret:
        secret.write(model.SECRET + b"\n")
        secret.flush()
        maker = Maker(random.Random(seed), secret.name)
        cases = [{"transform": maker.transform(), "event": maker.event()} for _ in range(count)]
        lines = [model.write(case) for case in cases]
        text = "\n".join(line for line in lines for _ in range(2)) + "\n"
        told = subprocess.run([program], input=text, capture_output=True, text=True, check=True).stdout.split("\n")
    different, accepted = 0, 0
    for index, line in enumerate(lines):
        case = model.read(line)
        actual, again, wanted = told[2 * index], told[2 * index + 1], expected(case)
        refused = actual.startswith("! Transformation failed: ")
        if not refused:
            accepted += 1
            if actual != "dropped":
                json.loads(actual)
        if actual != again or (refused and wanted is not None) or (not refused and actual != wanted):
            different += 1
            print(f"{line}\n  model: {wanted}\n  here:  {actual}")
    print(f"{count} transforms (seed {seed}): {accepted} records, {count - accepted} refused, {different} different")
    sys.exit(1 if different else 0)


main()
