#!/usr/bin/env bash
# math-verify 0.9.0, seen on 2026-11-29: with the key "x=1, y=2" the answer "2, 1" is right.
# A list without brackets is read as a set, and against a set of plain values the names of the unknowns are dropped.
# With the names written out, x=2, y=1 is wrong, as it should be; so leaving them out is what makes it pass.
# Why it matters: a solved system is graded right with its values exchanged.
# Workspan: "2, 1" is not equal to "x=1, y=2"; an answer has to say which value is whose.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  math-verify==0.9.0 \
  latex2sympy2-extended==1.11.0 sympy==1.14.0 antlr4-python3-runtime==4.13.2
cat > "$work/show.py" <<'EOF'
import sys
from importlib.metadata import version

from math_verify import parse, verify

print("math-verify", version("math-verify"))


def equal(gold, answer):
    """Compare as a grader does: both in a box, the gold first."""
    return verify(*(parse(rf"\boxed{{{text}}}") for text in (gold, answer)))


def check(cases):
    """Print each case; say whether all are as they were when this was written."""
    same = True
    for gold, answer, expected, seen in cases:
        found = equal(gold, answer)
        same = same and found == seen
        print(f"  gold {gold}   answer {answer}   expected {expected}   seen {found}")
    sys.exit(0 if same else 1)


check(
    [
        ("x=1,y=2", "2,1", False, True),
        ("x=1,y=2", "(2,1)", False, True),
        ("x=1,y=2", "x=2,y=1", False, False),
        ("x=1,y=2", "y=2,x=1", True, True),
    ]
)
EOF
cd "$work" && venv/bin/python -W ignore show.py
