#!/usr/bin/env bash
# reasoning-gym 0.1.25, seen on 2026-11-29: about a quarter of propositional_logic's questions have premises that
# contradict each other. From such premises everything follows, and the scorer, which looks for a row of the truth
# table where the premises hold and the answer does not, finds none: a conclusion and its opposite both score 1.0.
# Why it matters: these questions can't tell a model that reasons from one that writes any formula.
# Workspan: leaves the family out of its task sets and says why (docs/tasks.md).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  reasoning-gym==0.1.25 sympy==1.14.0
cat > "$work/show.py" <<'EOF'
import itertools
import sys
from importlib.metadata import version

import reasoning_gym

print("reasoning-gym", version("reasoning-gym"))


def holds(text, row):
    """Evaluate one of the library's formulas: a letter, a negation, or two parts in brackets."""
    if text.startswith("\u00ac"):
        return not holds(text[1:], row)
    if not text.startswith("("):
        return row[text]
    depth = 0
    for at, sign in enumerate(text):
        depth += (sign == "(") - (sign == ")")
        if depth == 1 and sign in "\u2227\u2228\u2192\u2194":
            left, right = holds(text[1:at].strip(), row), holds(text[at + 1 : -1].strip(), row)
            return {
                "\u2227": left and right,
                "\u2228": left or right,
                "\u2192": not left or right,
                "\u2194": left == right,
            }[sign]
    raise ValueError(text)


def can_all_hold(premises, letters):
    rows = (dict(zip(letters, row)) for row in itertools.product((False, True), repeat=len(letters)))
    return any(all(holds(premise, row) for premise in premises) for row in rows)


entries = reasoning_gym.create_dataset("propositional_logic", seed=1, size=500)
void = [e for e in entries if not can_all_hold(e["metadata"]["premises"], e["metadata"]["variables"])]
print("expected: the premises of each question can all be true together")
print(f"seen:     in {len(void)} of 500 they can't, by a truth table of our own")

entry = void[0]
one, opposite = "(P \u2227 Q)", "\u00ac(P \u2227 Q)"
scores = [entries.score_answer(text, entry) for text in (one, opposite)]
print("the first of these:", "; ".join(entry["metadata"]["premises"]))
print("expected: a formula and its negation do not both score 1.0")
print(f"seen:     {one} scores {scores[0]}, {opposite} scores {scores[1]}")
sys.exit(0 if len(void) > 50 and scores == [1, 1] else 1)
EOF
cd "$work" && PYTHONIOENCODING=utf-8 venv/bin/python -W ignore show.py
