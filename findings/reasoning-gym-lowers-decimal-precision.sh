#!/usr/bin/env bash
# reasoning-gym 0.1.25, seen on 2026-11-29: asking for one question of decimal_arithmetic lowers the precision of every decimal
# number that the program computes from then on. The family sets it for the thread, and does not give it back.
# A sum of dollars that was exact before is rounded after: here a million dollars and the price of one token lose the token.
# Why it matters: whoever keeps accounts in decimals beside the questions, as evaluation harnesses do, miscounts without a word.
# Workspan: makes questions within a context of decimal's own, and sums money by one that nobody else can change.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  reasoning-gym==0.1.25 sympy==1.14.0
cat > "$work/show.py" <<'EOF'
import sys
from decimal import Decimal, getcontext
from importlib.metadata import version

import reasoning_gym

print("reasoning-gym", version("reasoning-gym"))


def total():
    return Decimal("1000000") + Decimal("0.0000025")


before, digits = total(), getcontext().prec
reasoning_gym.create_dataset("decimal_arithmetic", seed=0, size=1)[0]
after, digits_after = total(), getcontext().prec
print("expected: 1000000 + 0.0000025 is", before, "before and after; precision", digits)
print("seen:     1000000 + 0.0000025 is", after, "after; precision", digits_after)
sys.exit(0 if digits == 28 and digits_after < digits and after != before else 1)
EOF
cd "$work" && venv/bin/python -W ignore show.py
