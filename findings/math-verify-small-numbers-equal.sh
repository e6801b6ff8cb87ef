#!/usr/bin/env bash
# math-verify 0.9.0, seen on 2026-11-29: with its usual arguments verify() calls different small numbers equal.
# Where one side is a decimal, both are rounded to 6 places after the point, not to 6 significant digits: what is
# smaller than half a millionth becomes 0. With 10^{-7} written as a power the same values may count as different.
# Why it matters: in physics and chemistry a wrong order of magnitude passes, and one spelling is graded unlike another.
# Workspan: compares exact values as far as they are read; none of these pairs is equal there.
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
        ("0.0000003", "0.0000004", False, True),
        (r"6.626\times10^{-34}", r"1\times10^{-34}", False, True),
        (r"6.6\cdot10^{-34}", r"9.1\cdot10^{-31}", False, True),
        (r"3.0\times10^{-7}", r"4.0\times10^{-7}", False, False),
        ("0.123456", "0.123457", False, False),
    ]
)
EOF
cd "$work" && venv/bin/python -W ignore show.py
