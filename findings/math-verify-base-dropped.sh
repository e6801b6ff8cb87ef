#!/usr/bin/env bash
# math-verify 0.9.0 with latex2sympy2-extended 1.11.0, seen on 2026-11-29: the base of a number is dropped.
# 1010_2 is read as one thousand and ten, equal to 1010_3 and to 1010, and unequal to the 10 that it is.
# Why it matters: data sets ask "in base 2" and have keys such as 1010_2; an answer in the wrong base passes, and the
# value of the same number in base ten does not.
# Workspan: reads 1010_2 as 10, equal to neither its digits in another base nor its digits without one.
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
        ("1010_2", "1010_3", False, True),
        ("1010_2", "1010", False, True),
        ("12_8", "12_{10}", False, True),
        ("1010_2", "10", True, False),
    ]
)
EOF
cd "$work" && venv/bin/python -W ignore show.py
