"""A stand-in for a coding agent: a real process that edits files and runs tests. It is no model.

Its tasks are folders made by `make_problem`: a rule, a function that breaks it, and tests
that anyone can see. It mends the function at a rate that the folder states, else leaves it wrong,
or, now and then, right on what the tests look at and wrong elsewhere. Draws hang on the task and on
$WORKSPAN_SEED alone. Like an agent it runs the tests, tells what it did, and writes what it "used",
in tokens that nobody decoded, to $WORKSPAN_USAGE.

Run it as ``python -m workspan.testing.stand_in_agent``, with the task on standard input.
"""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

LEAST, MOST = 100, 400
"""Tokens that it says a rollout took."""
SEEN = (0, 1, 2)
"""What the tests look at."""


@dataclass(frozen=True, slots=True)
class Rule:
    """f(x) = factor * x + shift, and how often it is followed."""

    factor: int
    shift: int
    rate: float
    """Of right rollouts."""
    misled: float = 0.0
    """Of rollouts that pass the tests and are wrong."""


def make_problem(folder: Path, rule: Rule) -> None:
    """Write a problem: its rule, a wrong function and visible tests.

    Args:
        folder: made new.
        rule: what is right.
    """
    folder.mkdir(parents=True)
    told = {"factor": rule.factor, "shift": rule.shift, "rate": rule.rate, "misled": rule.misled}
    (folder / "rule.json").write_text(json.dumps(told) + "\n")
    (folder / "solution.py").write_text(_program("x"))
    checks = [f"        self.assertEqual(f({x}), {rule.factor * x + rule.shift})" for x in SEEN]
    lines = ["import unittest", "", "from solution import f", "", ""]
    lines += ["class Seen(unittest.TestCase):", "    def test_seen(self):", *checks, ""]
    (folder / "test_seen.py").write_text("\n".join(lines))


def task(name: str) -> str:
    """Say what is to be done in the folder of that name."""
    return f"Mend {name}: f in solution.py must follow rule.json, as test_seen.py checks."


def _program(body: str) -> str:
    return f"def f(x):\n    return {body}\n"


def _solution(rule: Rule, rng: random.Random) -> str:
    right = f"{rule.factor} * x + {rule.shift}"
    place = rng.random()
    if place < rule.rate:
        return right
    if place < rule.rate + rule.misled:
        return f"{right} if x in {SEEN} else x"
    return f"{rule.factor} * x + {rule.shift + rng.randint(1, 9)}"


def main() -> None:
    """Do the task that stands on standard input."""
    asked = sys.stdin.read()
    found = re.search(r"Mend ([\w/.-]+):", asked)
    if found is None:
        raise SystemExit("no task that it knows")
    folder = Path(found[1])
    rule = Rule(**json.loads((folder / "rule.json").read_text()))
    rng = random.Random(f"{os.environ.get('WORKSPAN_SEED', '0')} {asked}")
    (folder / "solution.py").write_text(_program(_solution(rule, rng)))
    command = [sys.executable, "-B", "-m", "unittest", "-q", "test_seen"]
    tested = subprocess.run(command, cwd=folder, capture_output=True, check=False)
    used = {"input_tokens": 50, "output_tokens": rng.randint(LEAST, MOST)}
    if path := os.environ.get("WORKSPAN_USAGE"):
        Path(path).write_text(json.dumps(used))
    verdict = "pass" if tested.returncode == 0 else "fail"
    sys.stdout.write(f"I have changed f; the tests {verdict}. (A stand-in, no model.)\n")


if __name__ == "__main__":
    main()
