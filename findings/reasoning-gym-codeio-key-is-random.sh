#!/usr/bin/env bash
# reasoning-gym 0.1.25, seen on 2026-11-29: some codeio questions have another right answer each time they are read.
# The family shows a program and asks for its output; the key is made by running the program anew. Some programs draw
# random numbers that nothing seeds, so that question and input stay the same and the key does not.
# Why it matters: no model can be right but by luck, and two runs are graded against different keys.
# Workspan: leaves the family out of its task sets and says why (docs/tasks.md).
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
entries = reasoning_gym.create_dataset("codeio", seed=1, size=50)
read = [entries[25] for _ in range(8)]  # a robot on a board with obstacles "placed randomly"
questions, keys = {entry["question"] for entry in read}, {entry["answer"] for entry in read}
print("entry 25 of seed 1, read 8 times")
print("expected: 1 question, 1 right answer")
print(f"seen:     {len(questions)} question, {len(keys)} right answers: {', '.join(sorted(keys))}")
sys.exit(0 if len(questions) == 1 and len(keys) > 1 else 1)
EOF
cd "$work" && venv/bin/python -W ignore show.py
