#!/usr/bin/env bash
# reasoning-gym 0.1.25, seen on 2026-11-29: how many questions of acre one asks for decides which questions they are.
# All are made at once, in three sorts whose numbers follow from `size`, and shuffled together.
# The first 50 of 100 are not the 50 of a set of 50; most other families make entry i from seed + i alone.
# Why it matters: a trial run on few questions is not a part of the full run, and "question 7 of seed 1" names nothing.
# Workspan: makes acre in blocks of one fixed size, so that an id such as acre/0/7 is one question at any limit.
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


def questions(family, size):
    return [entry["question"] for entry in reasoning_gym.create_dataset(family, seed=1, size=size)][:50]


def same(family):
    return sum(a == b for a, b in zip(questions(family, 50), questions(family, 100)))


again = questions("acre", 50) == questions("acre", 50)
acre, chain_sum = same("acre"), same("chain_sum")
print("acre, size 50, made twice:", "equal" if again else "differ")
print("expected: of the first 50 questions, all 50 are the same at size 50 and size 100")
print("seen:     chain_sum", chain_sum)
print("seen:     acre     ", acre)
sys.exit(0 if again and chain_sum == 50 and acre < 10 else 1)
EOF
cd "$work" && venv/bin/python -W ignore show.py
