#!/usr/bin/env bash
# reasoning-gym 0.1.25, seen on 2026-11-29: wrong answers score 0.93 to 0.99, by three rules.
# time_intervals takes off a share of the longest possible difference, so a day too few of 67 costs 0.01.
# calendar_arithmetic falls slowly with the relative error: one working day too many of 72 still scores 0.93.
# The scorer that most families inherit gives len(right)/len(given) where the right text is contained in the answer.
# Why it matters: a mean of these scores is not a share of right answers, and "score >= 0.9" counts wrong ones as right.
# Workspan: each family has an exact check that says right or wrong and nothing between.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  reasoning-gym==0.1.25 sympy==1.14.0
cat > "$work/show.py" <<'EOF'
import sys
from importlib.metadata import version

import reasoning_gym

print("reasoning-gym", version("reasoning-gym"))
print("expected: a wrong answer scores 0, or at least far from the 1.0 of the right one")
scores = []


def show(family, index, wrong):
    entries = reasoning_gym.create_dataset(family, seed=1, size=100)
    entry = entries[index]
    right = entry["answer"]
    given = wrong(right)
    scores.append((entries.score_answer(right, entry), entries.score_answer(given, entry)))
    ends = [text if len(text) < 30 else "..." + text[-20:] for text in (right, given)]
    print(f"seen: {family}: right {ends[0]!r} {scores[-1][0]}, wrong {ends[1]!r} {scores[-1][1]:.4f}")


show("time_intervals", 1, lambda right: right.replace("06:09", "06:19"))
show("time_intervals", 4, lambda right: right.replace("67 days", "66 days"))
show("calendar_arithmetic", 83, lambda right: str(int(right) + 1))
show("rotate_matrix", 0, lambda right: right + " 1")
print("(the last: a matrix with one number too many)")
sys.exit(0 if all(right == 1 and 0.9 < wrong < 1 for right, wrong in scores) else 1)
EOF
cd "$work" && venv/bin/python -W ignore show.py
