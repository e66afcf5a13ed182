#!/usr/bin/python3
"""The Bowtie harness from outside: the whole suite through its protocol, and odd conversations.

    bowtie.py [BOWTIE] [SUITE]     default build/bowtie, build/suite

The suite's verdicts must be those expected, but for the tests in misses.txt. Every case comes with
all of the suite's remotes as its registry, those of other drafts too, as Bowtie sends them.
"""

import json
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
DIALECTS = {
    "draft4": "http://json-schema.org/draft-04/schema#",
    "draft6": "http://json-schema.org/draft-06/schema#",
    "draft7": "http://json-schema.org/draft-07/schema#",
    "draft2019-09": "https://json-schema.org/draft/2019-09/schema",
    "draft2020-12": "https://json-schema.org/draft/2020-12/schema",
}
REFUSED = "<refused>"  # stands for an answer with "errored"

# One command a row, and what must be in its answer.
CONVERSATION = [
    ('{"cmd":"dialect","dialect":"urn:unknown"}', {"ok": False}),
    ('{"cmd":"dialect","dialect":"http://json-schema.org/draft-07/schema#"}', {"ok": True}),
    # `seq` comes back as it was, whatever it is
    ('{"cmd":"run","seq":{"a":[1.50,null]},"case":{"schema":true,"tests":[{"instance":null}]}}',
     {"seq": {"a": [1.5, None]}, "results": [{"valid": True}]}),
    ('{"cmd":"run","seq":null,"case":{"schema":false,"tests":[{"instance":1}]}}',
     {"seq": None, "results": [{"valid": False}]}),
    # a registry; what nothing refers to may be broken
    ('{"cmd":"run","seq":3,"case":{"schema":{"$ref":"http://x/y"},"registry":{"http://x/y":'
     '{"type":"integer"},"http://x/unused":{"$id":5}},"tests":[{"instance":1},{"instance":"1"}]}}',
     {"seq": 3, "results": [{"valid": True}, {"valid": False}]}),
    ('{"cmd":"run","seq":4,"case":{"schema":{"$ref":"#/nope"},"tests":[{"instance":1}]}}',
     {"seq": 4, "results": [{"errored": True,
                             "context": {"message": "Schema has a $ref that leads nowhere"}}]}),
    ('{"cmd":"run","seq":5,"case":{"schema":{"type":5},"tests":[]}}', REFUSED),
    ('{"cmd":"run","seq":6,"case":{"schema":{"$ref":"#"},"tests":[{"instance":1}]}}', REFUSED),
    ('{"cmd":"run","seq":7}', REFUSED),
    # what our reader refuses ends one case only
    ('{"cmd":"run","seq":8,"case":{"schema":true,"tests":[{"instance":{"\\u0000":1}}]}}', REFUSED),
    ('{"cmd":"run","seq":9,"case":{"schema":true,"tests":[{"instance":%s%s}]}}'
     % ("[" * 600, "]" * 600), REFUSED),
    ('{"cmd":"run","seq":10,"case":{"schema":{"maxLength":1},"tests":[{"instance":"%s"}]}}'
     % ("y" * 5000000), {"seq": 10, "results": [{"valid": False}]}),
    ('{"cmd":"run","seq":11,"case":{"schema":true,"tests":[{"instance":1}]},"output":"annotations"}',
     {"seq": 11, "results": [{"skipped": True, "message": "annotations are not collected"}]}),
]


class Harness:
    def __init__(self, program):
        self.process = subprocess.Popen(
            [program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def stop(self):
        self.process.stdin.write('{"cmd":"stop"}\n')
        self.process.stdin.close()
        return self.process.stdout.read() == "" and self.process.wait() == 0


def remotes(suite):
    root = suite / "remotes"
    return {
        "http://localhost:1234/" + path.relative_to(root).as_posix(): json.loads(path.read_text())
        for path in root.rglob("*.json")
    }


def cases(suite, draft):
    root = suite / "tests" / draft
    for path in sorted(root.rglob("*.json")):
        if "format" not in path.parent.name:  # those assert formats, which the protocol cannot ask
            for case in json.loads(path.read_text()):
                yield f"{draft}/{path.relative_to(root).as_posix()}", case


def run_draft(harness, draft, suite, registry, misses):
    """How many tests there were, and the names of those answered wrongly."""
    count, wrong = 0, []
    answer = harness.ask(json.dumps({"cmd": "dialect", "dialect": DIALECTS[draft]}))
    if answer != {"ok": True}:
        return 0, [f"{draft}: dialect: {answer}"]
    for file, case in cases(suite, draft):
        tests = [{"instance": test["data"]} for test in case["tests"]]
        command = {"schema": case["schema"], "registry": registry, "tests": tests}
        answer = harness.ask(json.dumps({"cmd": "run", "seq": file, "case": command}))
        results = answer.get("results", [{}] * len(tests))
        for test, result in zip(case["tests"], results, strict=True):
            name = f"{file}: {case['description']}: {test['description']}"
            count += 1
            if result != {"valid": test["valid"]} and name not in misses:
                wrong.append(f"{name}: {result or answer}")
    return count, wrong


def converse(harness):
    wrong = []
    for line, expected in CONVERSATION:
        answer = harness.ask(line)
        if expected == REFUSED:
            ok = answer["errored"] is True and answer["context"]["message"]
            ok = ok and answer["seq"] == json.loads(line)["seq"]
        else:
            ok = answer == expected
        if not ok:
            wrong.append(f"{line[:100]}: {str(answer)[:200]}")
    return wrong


def main():
    program = sys.argv[1] if len(sys.argv) > 1 else "build/bowtie"
    suite = pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else "build/suite")
    misses = {line.split(" -- ")[0] for line in (HERE / "misses.txt").read_text().splitlines()}
    harness = Harness(program)
    start = harness.ask('{"cmd":"start","version":1}')
    wrong = [] if start["version"] == 1 else [f"start: {start}"]
    wrong += [uri for uri in DIALECTS.values() if uri not in start["implementation"]["dialects"]]
    wrong += converse(harness)
    registry, total = remotes(suite), 0
    for draft in DIALECTS:
        count, more = run_draft(harness, draft, suite, registry, misses)
        total, wrong = total + count, wrong + more
    if not harness.stop():
        wrong.append("stop: no clean end")
    for line in wrong:
        print("FAILED", line)
    print(f"bowtie: {total} tests of the suite, {len(CONVERSATION)} answers, {len(wrong)} wrong")
    return 0 if total > 5000 and not wrong else 1


if __name__ == "__main__":
    sys.exit(main())
