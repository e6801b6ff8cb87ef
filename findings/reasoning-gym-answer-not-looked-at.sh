#!/usr/bin/env bash
# reasoning-gym 0.1.25, seen on 2026-11-29: two scorers give the full score without looking at what was asked.
# game_of_life_halting compares bool(answer) with bool("True") or bool("False"), and any text that is not empty is true.
# puzzle24 checks that four numbers from 1 to 10 make 24, not that they are the four numbers of the question.
# Why it matters: a model that always says the same thing has a perfect score, and one trained on this reward learns to.
# Workspan: grades both with checks of its own (src/workspan/graders/puzzles), never with the library's scorers.
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

halting = reasoning_gym.create_dataset("game_of_life_halting", seed=1, size=20)
given = {text: [halting.score_answer(text, entry) for entry in halting] for text in ("True", "no idea")}
keys = [entry["answer"] for entry in halting]
print(f"game_of_life_halting: of 20 right answers {keys.count('True')} are True, {keys.count('False')} False")
print("  expected: 'no idea' scores 0 everywhere, 'True' where it is right")
print("  seen:    ", {text: f"sum of scores {sum(scores)}" for text, scores in given.items()})

puzzles = reasoning_gym.create_dataset("puzzle24", seed=1, size=1)
entry = puzzles[0]
other = "6*4*1*1"
score = puzzles.score_answer(other, entry)
print(f"puzzle24: make 24 of {entry['metadata']['numbers']}, answered {other}")
print("  expected: below 1, for these are not the numbers given")
print("  seen:    ", score)

same = set(keys) == {"True", "False"} and all(s == 1 for scores in given.values() for s in scores)
sys.exit(0 if same and score == 1 and sorted(entry["metadata"]["numbers"]) != [1, 1, 4, 6] else 1)
EOF
cd "$work" && venv/bin/python -W ignore show.py
