#!/usr/bin/env bash
# math-verify 0.9.0, seen on 2026-11-29: a single letter is never equal to a formula that has its value.
# Where one side is one symbol only names are compared, so y is not y+0 and x is not 2x-x, though 2x is x+x.
# Letters' case is ignored there on top of it: A equals a, and AB equals ab.
# Why it matters: answers that are one letter are graded by spelling, all others by value.
# Workspan: compares y and y+0 by value, like any other formula.
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
        ("y", "y+0", True, False),
        ("x", "2x-x", True, False),
        ("x", r"\frac{2x}{2}", True, False),
        ("A", "a", False, True),
        ("AB", "ab", False, True),
        ("2x", "x+x", True, True),
        ("x^2", r"x\cdot x", True, True),
    ]
)
EOF
cd "$work" && venv/bin/python -W ignore show.py
