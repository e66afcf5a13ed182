"""Random costly transforms of large events: none takes more than its budget of processor time.

    hostile.py PROGRAM COUNT [SEED]

PROGRAM is the program of transform.c. Prints what takes longer, is not JSON or is not an error of the sender; exits
with 1 then.
"""

import json
import random
import subprocess
import sys

BUDGET_MS = 200
SLACK_MS = 100  # of a search between two looks at the clock, and switches of the processor
MIB = 1 << 20
REFUSALS = ("! Transformation failed: ", "! Event too expensive to check")

REGEXES = ["^(([a-z])+.)+[A-Z]([a-z])+$", "(a*)*b", "(a|aa)+$", "(.*)(.*)(.*)x", "a*?", "(?=.*b)a", "(a+)\\1b", "[^b]*c", "(,|a)", ""]
TEXTS = ["a" * 2 * MIB, '"' * MIB, "a," * MIB, "ä" * MIB, "9" * MIB, "[" + "1," * (MIB // 2) + "1]", " " * 2 * MIB, "a" * 10000, "x"]
LISTS = [[1] * 10000, [{}] * 10000, [{"k": 1, "t": "ab"}] * 10000, [[1] * 9] * 10000, [[[1] * 10] * 10] * 1000, ["a" * 150] * 10000]
ITEMS = [json.dumps(items) for items in LISTS]
MEMBERS = {f"m{number}": number for number in range(100000)}
# Of each payload one member takes much.
LARGE = [*({"t": text} for text in TEXTS), {"o": MEMBERS}, {"y": [0] * 500000}, {"n": int("9" * 4000)}]
LARGE = [json.dumps(large)[1:-1] for large in LARGE]


class Maker:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def some(self, choices):
        return self.random.choice(choices)

    def event(self):
        return f'{{"id": "e", "detail": {{"x": {self.some(ITEMS)}, "z": {self.some(ITEMS)}, {self.some(LARGE)}}}}}'

    def source(self):
        return self.some(["payload:/t", "payload:/x", "payload:/o", "payload:/y", "payload:/n", "payload:", "event:", "", "/k", "/t", "/0"])

    def step(self):
        regex = self.some(REGEXES)
        return self.some(
            ["lower", "upper", "trim", "string", "json", "parse_json", "length", "first", "last", "sha256", "integer", "date"]
            + [{"split": ","}, {"join": ","}, {"extract": regex}, {"replace": [regex, "$&$&"]}, {"slice": [1, -1]}, {"mask": 1}, {"shift": 900}]
        )

    def value(self, field):
        if self.random.random() < 0.6:
            field["as"] = [self.step() for _ in range(self.random.randrange(1, 6))]
        if self.random.random() < 0.2:
            field |= {"map": {"x": 1}, "otherwise": 2}
        return field

    def pattern(self):
        condition = self.some([{"wildcard": "*a*b*c*"}, {"suffix": "b"}, {"anything-but": {"wildcard": "*a*"}}, {"numeric": [">", 5]}, "x"])
        return {self.some("ktxo"): [condition]}

    def field(self, name, depth):
        kind = self.random.randrange(8)
        if depth and kind < 5:
            field = {"name": name, "each": self.some(["payload:/x", "payload:/z", ""]), "skip": "empty"}
            if self.random.random() < 0.3:
                field["where"] = self.pattern()
            if self.random.random() < 0.7:
                return field | {"fields": self.fields(depth - 1)}
            return self.value(field | {"from": self.source()})
        if kind == 5:
            return self.value({"name": name, "text": self.some(["{payload:/t}{/nothing}", "{payload:}", "{payload:/t}{payload:/t}", "{/k}"])})
        if kind == 6:
            return {"copy": self.some(["payload:/o", "payload:", ""]), "skip": "empty"}
        field = self.value({"name": name, "from": self.source(), "skip": "null"})
        return field | {"when": self.pattern()} if self.random.random() < 0.2 else field

    def fields(self, depth):
        return [self.field(f"f{number}", depth) for number in range(self.random.randrange(1, 4))]

    def case(self):
        """A transform, and the line with its event."""
        transform = json.dumps({"fields": self.fields(4)})
        return transform, f'{{"transform": {transform}, "event": {self.event()}}}\n'


def main(program, count, seed=None):
    seed = int(seed) if seed else random.SystemRandom().randrange(10**9)
    maker = Maker(seed)
    longest, failed, outcomes = 0, 0, {}
    with subprocess.Popen([program, str(BUDGET_MS)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:
        for number in range(int(count)):
            transform, line = maker.case()
            running.stdin.write(line)
            running.stdin.flush()
            taken, result = running.stdout.readline().rstrip("\n").split("\t", 1)
            outcome = next((refusal for refusal in REFUSALS if result.startswith(refusal)), "record")
            if outcome == "record":
                json.loads(result, parse_int=str, parse_float=str)
            outcomes[outcome] = outcomes.get(outcome, 0) + 1
            longest = max(longest, int(taken))
            if int(taken) > (BUDGET_MS + SLACK_MS) * 1000:
                failed += 1
                print(f"case {number}, {taken} us: {transform}: {result[:100]}")
        running.stdin.close()
    print(f"{count} costly transforms (seed {seed}): {outcomes}, at most {longest / 1000:.0f} ms of {BUDGET_MS}, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
