"""differential.py PROGRAM [PAIRS [SEED]] - random event patterns and events: the verdicts of PROGRAM
(tests/patterns/pattern.c) compared with those of AWS's own matcher, the Java library event-ruler.

The library comes from Maven Central once, into build/patterns. Differences that
docs/decisions/033 lists are counted by their reason; any other one fails.
"""

import collections
import itertools
import json
import pathlib
import random
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
BUILD = HERE.parent.parent / "build/patterns"
MATCHER = ["java", "-cp", f"{BUILD}/lib/*:{BUILD}", "Verdicts"]
KEYS = ["a", "b", "c", "d"]
TEXTS = ["", "x", "xy", "xyz", "Xy", "É", "é", "яX", "a*b", "10.0.0.1", "10.0.0.200", "::1", "2001:db8::1", "k", "K"]
TEXTS += ["5", "true", "ⱥz", "Ⱥz", "ab\\c", "x\ny", "ß", "SS"]
NUMBERS = ["0", "-0.0", "1", "5", "5.0", "5e0", "300", "3.0e2", "3000e-1", "7.5", "-3", "1e400", "0.1", "1E+2", "100"]
NUMBERS += ["12345678901234567890", "0.10000000000000000001"]
WILDCARDS = ["*", "x*", "*y", "x*y", "a\\*b", "*x*y*", "ab\\\\c", ""]
BLOCKS = ["10.0.0.0/24", "10.0.0.77/25", "::/0", "0.0.0.0/0", "2001:db8::/32", "::1/127"]
WRONG = [
    {"wildcard": "x**y"}, {"wildcard": "a\\x"}, {"wildcard": "x\\"}, {"prefix": 5}, {"prefix": ["x"]},
    {"prefix": "x", "suffix": "y"}, {"nope": "x"}, {}, {"exists": "x"}, {"cidr": "10.0.0.1/33"}, {"cidr": "10.0.0.1"},
    {"numeric": []}, {"numeric": [">"]}, {"numeric": [">", "5"]}, {"anything-but": []}, {"anything-but": None},
    {"anything-but": {"numeric": ["=", 1]}}, {"anything-but": {"prefix": ""}}, {"anything-but": ["x", 1]},
]  # fmt: skip


class Number(str):
    """A number with the text that it is written with."""


class Maker:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def pick(self, *choices):
        return self.random.choice(choices)

    def often(self, share):
        return self.random.random() < share

    def number(self):
        return Number(self.random.choice(NUMBERS))

    def scalar(self):
        kind = self.pick("text", "text", "number", "literal")
        if kind == "text":
            return self.random.choice(TEXTS)
        return self.number() if kind == "number" else self.pick(None, True, False)

    def event(self, depth=0):
        if depth > 3 or self.often(0.45):
            return self.scalar()
        if self.often(0.45):
            return [self.event(depth + 1) for _ in range(self.random.randrange(4))]
        return self.object(depth + 1)

    def object(self, depth=0):
        keys = self.random.sample(KEYS + ["$or", "prefix"] if self.often(0.05) else KEYS, self.random.randrange(4))
        return {key: self.event(depth) for key in keys}

    def numeric(self):
        low, high = self.number(), self.number()
        return self.pick(["=", low], [">", low], ["<", low], ["<=", low], [">=", low, "<", high], [">", low, "<=", high])

    def condition(self):
        text = self.random.choice(TEXTS)
        either = self.pick(text, [text, self.random.choice(TEXTS)])
        if self.often(0.02):
            return self.random.choice(WRONG)
        return self.pick(
            {"prefix": text}, {"suffix": text}, {"equals-ignore-case": text}, {"wildcard": self.random.choice(WILDCARDS)},
            {"prefix": {"equals-ignore-case": text}}, {"suffix": {"equals-ignore-case": text}},
            {"anything-but": self.pick(text, self.number(), [text, "q"], [self.number(), self.number()])},
            {"anything-but": {self.pick("prefix", "suffix", "equals-ignore-case"): either}},
            {"anything-but": {"wildcard": self.random.choice(WILDCARDS)}},
            {"numeric": self.numeric()}, {"exists": True}, {"exists": False}, {"cidr": self.random.choice(BLOCKS)},
        )  # fmt: skip

    def conditions(self):
        return [self.condition() if self.often(0.55) else self.scalar() for _ in range(self.pick(1, 1, 1, 2, 2, 3))]

    def pattern(self, depth=0, keys=KEYS):
        chosen = self.random.sample(keys, min(len(keys), self.pick(1, 1, 2, 2, 3)))
        inside = {key: self.conditions() if depth > 1 or self.often(0.75) else self.pattern(depth + 1) for key in chosen}
        rest = [key for key in keys if key not in chosen]
        if rest and self.often(0.2):  # a path is either in `$or` or outside
            inside["$or"] = [self.pattern(depth + 1, rest) for _ in range(self.pick(2, 2, 3))]
        return inside

    def fit(self, pattern, event):
        """Copy values of the pattern into the event, so that it is likelier to fit."""
        for key, value in pattern.items():
            if key == "$or":
                self.fit(self.random.choice(value), event)
            elif isinstance(value, dict):
                inner = event.get(key)
                new = inner if isinstance(inner, dict) else {}
                self.fit(value, new)
                event[key] = [*inner, new] if isinstance(inner, list) else [new] if self.often(0.3) else new
            elif self.often(0.8):
                event[key] = self.wanted(self.random.choice(value))

    def wanted(self, condition):
        while isinstance(condition, (dict, list)):
            values = list(condition.values()) if isinstance(condition, dict) else condition
            condition = values[-1] if values else None
        if isinstance(condition, str) and not isinstance(condition, Number) and self.often(0.5):
            condition = condition.replace("*", "Z").split("/")[0]
        return [self.scalar(), condition] if self.often(0.3) else condition

    def pair(self):
        pattern, event = self.pattern(), self.object()
        if self.often(0.7):
            self.fit(pattern, event)
        return written(pattern), written(event)


def written(value):
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{written(key)}:{written(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(written, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def variants(pattern):
    """The pattern with one condition in each list: it fits when one of these does."""
    choices = []
    for key, value in pattern.items():
        if key == "$or":
            choices.append([(key, list(branches)) for branches in itertools.product(*map(variants, value))])
        elif isinstance(value, dict):
            choices.append([(key, inner) for inner in variants(value)])
        else:
            choices.append([(key, [condition]) for condition in value])
    return [dict(pairs) for pairs in itertools.product(*choices)]


def renamed(text, event, names):
    """The same pair with other names of the fields, which sort in another order."""
    line = f"{text}\t{event}"
    for old, new in zip(KEYS, names):
        line = line.replace(f'"{old}":', f'"{new}":')
    return line


def known(line, our):
    """The reason of a difference that is meant, or None."""
    text, event = line.split("\t")
    pattern = json.loads(text, parse_int=Number, parse_float=Number)
    several = verdicts(MATCHER, [f"{written(one)}\t{event}" for one in variants(pattern)])
    if our == ("yes" if "yes" in several else "no"):
        return "event-ruler itself says otherwise when each list has one condition"
    if our in verdicts(MATCHER, [renamed(text, event, names) for names in itertools.permutations("efgh")]):
        return "event-ruler's own verdict on exists:false depends on the order of names"
    if our == "no" and '"cidr"' in text:
        return "cidr takes a number for an address"
    return None


def prepare():
    BUILD.mkdir(parents=True, exist_ok=True)
    if not list(BUILD.glob("lib/event-ruler-*.jar")):
        command = ["mvn", "-q", "-B", "-f", HERE / "pom.xml", "dependency:copy-dependencies"]
        subprocess.run([*command, f"-DoutputDirectory={BUILD.resolve()}/lib"], check=True)
    subprocess.run(["javac", "-nowarn", "-cp", f"{BUILD}/lib/*", "-d", BUILD, HERE / "Verdicts.java"], check=True)


def verdicts(command, lines):
    result = subprocess.run(command, input="\n".join(lines) + "\n", text=True, capture_output=True, check=True)
    return result.stdout.splitlines()


def main(program, pairs=20000, seed=1):
    prepare()
    maker = Maker(int(seed))
    lines = ["\t".join(maker.pair()) for _ in range(int(pairs))]
    theirs = verdicts(MATCHER, lines)
    ours = verdicts([program], lines)
    assert len(lines) == len(theirs) == len(ours)
    counts, failed = collections.Counter(), 0
    for line, their, our in zip(lines, theirs, ours):
        words = their.split(" ")[0], our.split(" ")[0]
        reason = "same: " + words[0] if words[0] == words[1] else known(line, words[1])
        counts[reason or "different"] += 1
        if not reason:
            failed += 1
            print(f"event-ruler: {their}\nsluice:      {our}\n  {line}")
    print("\n".join(f"{count:6} {reason}" for reason, count in counts.most_common()))
    print(f"patterns: {len(lines) - failed} passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
