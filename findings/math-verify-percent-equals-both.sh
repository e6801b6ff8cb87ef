#!/usr/bin/env bash
# math-verify 0.9.0, seen on 2026-11-29: 50% equals 0.5, and 50% equals 50, but 0.5 does not equal 50.
# Equality is not transitive: a percent value is compared both as a share and with its sign dropped.
# Why it matters: who counts votes by verify() gets other groups, and another winner, by the order of the answers;
# and with the key 50% an answer of 0.5 is as right as one of 50.
# Workspan: drops the percent sign as a unit (docs/answers.md), so 50% is 50 and not 0.5; votes are grouped by a key, never by pairs.
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
        (r"50\%", "0.5", "True for one of 0.5 and 50, not both;", True),
        (r"50\%", "50", "True for one of 0.5 and 50, not both;", True),
        ("0.5", "50", False, False),
    ]
)
EOF
cd "$work" && venv/bin/python -W ignore show.py
