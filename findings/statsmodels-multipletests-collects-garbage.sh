#!/usr/bin/env bash
# statsmodels 0.15.0, seen on 2026-11-29: each call of multipletests makes the interpreter collect all its garbage.
# A correction of five p-values takes microseconds; the full collection takes as long as there are objects alive.
# Why it matters: a table corrected row by row, or a simulation with a correction in its loop, spends nearly all of its time there.
# Workspan: corrects all pairs of a comparison in one call (src/workspan/lab/pairs.py).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check statsmodels==0.15.0
cat > "$work/show.py" <<'EOF'
import gc
import sys
from importlib.metadata import version

from statsmodels.stats.multitest import multipletests

print("statsmodels", version("statsmodels"))

full = []


def note(phase, info):
    if phase == "start" and info["generation"] == 2:
        full.append(info)


gc.callbacks.append(note)
kept = [[i] for i in range(200_000)]
full.clear()
for _ in range(20):
    multipletests([0.01, 0.02, 0.03, 0.2, 0.5], method="holm")
print("20 corrections of five p-values")
print("  expected: no full collection, as for any small sum")
print("  seen:    ", len(full), "full collections, with", len(kept), "lists alive")
sys.exit(0 if len(full) >= 20 else 1)
EOF
cd "$work" && venv/bin/python -W ignore show.py
