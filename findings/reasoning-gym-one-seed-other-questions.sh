#!/usr/bin/env bash
# reasoning-gym 0.1.25, seen on 2026-11-29: with the same seed some families ask other questions in each process.
# list_functions draws some numbers from Python's module-level generator: reading one entry twice gives two questions.
# Five families draw from sets of strings, whose order Python shuffles per process unless PYTHONHASHSEED is set:
# isomorphic_strings, knight_swap, polynomial_multiplication, ransom_note, word_ladder.
# Why it matters: two models "on the same seed" are not given the same questions, and paired tests on them are void.
# Workspan: seeds the global generators for each entry, and makes the five families in a child with a fixed hash seed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  reasoning-gym==0.1.25 sympy==1.14.0
cat > "$work/show.py" <<'EOF'
import json
import os
import subprocess
import sys
from importlib.metadata import version

import reasoning_gym

FAMILIES = (
    "isomorphic_strings",
    "knight_swap",
    "polynomial_multiplication",
    "ransom_note",
    "word_ladder",
    "chain_sum",  # for comparison
)

if len(sys.argv) > 1:  # the child's part
    made = {name: reasoning_gym.create_dataset(name, seed=1, size=5) for name in FAMILIES}
    print(json.dumps({name: [entry["question"] for entry in made[name]] for name in FAMILIES}))
    sys.exit()

print("reasoning-gym", version("reasoning-gym"))
lists = reasoning_gym.create_dataset("list_functions", seed=1, size=200)
twice = sum(lists[i]["question"] != lists[i]["question"] for i in range(200))
print("list_functions, seed 1: 200 entries are read twice in one process")
print("  expected: 0 of them differ")
print("  seen:    ", twice, "differ")


def questions(hash_seed):
    env = {**os.environ, "PYTHONHASHSEED": hash_seed}
    command = [sys.executable, "-W", "ignore", __file__, "child"]
    said = subprocess.run(command, env=env, check=True, capture_output=True, text=True).stdout
    return json.loads(said.splitlines()[-1])


print("the first 5 questions of seed 1, in two processes whose PYTHONHASHSEED is 0 and 1")
print("  expected: equal")
one, other = questions("0"), questions("1")
differ = {name for name in FAMILIES if one[name] != other[name]}
for name in FAMILIES:
    print("  seen:    ", name, "differ" if name in differ else "equal")
sys.exit(0 if twice and differ == set(FAMILIES) - {"chain_sum"} else 1)
EOF
cd "$work" && venv/bin/python -W ignore show.py
