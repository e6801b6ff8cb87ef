"""What a fresh process takes to its first plan for a budget, against another build.

    python -m benchmarks.first_plan FILE [--before OTHER/src] [--rounds 5] [--chains 16 128]

A profile is calibrated on the training part of each recording in FILE, with so many chains a
problem, and written by this build. Each round then starts a fresh process for each build, profile
and budget, in turn: it imports `auto`, reads the profile and makes the rule of a run with that
budget, once as a limit and once, in a process of its own, as a mean. Told are processor seconds of
what comes after the import of `auto` (NumPy's own import is in it), and their ratios by pairs; and
whether both builds made the same rule, to the last digit.

Modules are compiled before, as installed packages are: one process of each build is not counted.
Processor seconds can be read on a busy machine, where they are larger for both.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import NamedTuple

from benchmarks.paired import ratio

from workspan.lab.calibrating import calibrate
from workspan.lab.replay.folds import Folds
from workspan.recordings.parquet import read_recordings
from workspan.strategies.auto.fit.kept import write_evaluated

BUDGETS = (4_000, 8_000, 16_000, 32_000, 64_000, 128_000)
_NUMBER = re.compile(r"-?\d[\d.e+-]*|None|inf")
HERE = Path(__file__).parents[1] / "src"
_CHILD = """
import json, sys, time
from workspan.strategies.auto.auto import Auto
began = time.process_time()
path, work, is_mean = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "mean"
from workspan.data.budget import Budget
try:
    from workspan.strategies.auto.profile import evaluation_of
    auto = Auto(profile=path)
except ImportError:  # as builds until dcedf43 call it
    from workspan.strategies.auto.library import study_of as evaluation_of
    auto = Auto(library=path)
read = time.process_time()
import numpy
loaded = time.process_time()
rule = auto.planned_rule(evaluation_of(path, None if is_mean else work), Budget(work=work))
done = time.process_time()
print(json.dumps([done - began, loaded - read, repr(rule)]))
"""


class First(NamedTuple):
    """One fresh process."""

    seconds: float
    """Of the processor, to the rule."""
    numpy: float
    """Of them, to import NumPy."""
    rule: str

    @property
    def figures(self) -> tuple[str, ...]:
        """All numbers of the rule, in order: what its fields are called differs between builds."""
        return (*_NUMBER.findall(self.rule),)


def first(source: Path, profile: Path, work: int, how: str) -> First:
    """Choose a plan in a process of the build whose sources are there."""
    told = {**os.environ, "PYTHONPATH": str(source), "OPENBLAS_NUM_THREADS": "1"}
    told["PYTHONPYCACHEPREFIX"] = str(profile.parent / "compiled")
    told.pop("PYTHONDONTWRITEBYTECODE", None)
    command = [sys.executable, "-c", _CHILD, str(profile), str(work), how]
    done = subprocess.run(command, env=told, capture_output=True, text=True, check=True)
    return First(*json.loads(done.stdout))


def profiles(file: Path, chains: list[int], folder: Path) -> Iterator[Path]:
    """Write a profile of each recording and number of chains."""
    for i, recording in enumerate(read_recordings(file).recordings):
        for n in chains:
            parts = [
                replace(one, chains={name: many[:n] for name, many in one.chains.items()})
                for one in Folds().split([recording])[0].training
            ]
            path = folder / f"{i}-{n}.json"
            write_evaluated(calibrate(parts), path)
            size = path.stat().st_size / 1024
            print(f"{path.name}: {recording.model}, {n} chains a problem, {size:.0f} KB")
            yield path


def measure(profile: Path, options: argparse.Namespace) -> None:
    """Print what each budget takes."""
    for source in filter(None, (HERE, options.before)):
        first(source, profile, BUDGETS[0], "limit")
    for how in ("limit", "mean"):
        for work in BUDGETS:
            ours, theirs = list[First](), list[First]()
            for _ in range(options.rounds):
                ours.append(first(HERE, profile, work, how))
                if options.before:
                    theirs.append(first(options.before, profile, work, how))
            own = [one.seconds for one in ours]
            said = f"  {how} {work}: {median(own):.3f} s, most {max(own):.3f}, "
            said += f"of it NumPy {median(one.numpy for one in ours):.3f}"
            if theirs:
                other = [one.seconds for one in theirs]
                same = {one.figures for one in ours} == {one.figures for one in theirs}
                said += f"; before {median(other):.3f}: {ratio(other, own)} times as fast, "
                said += "the same rule" if same else "ANOTHER RULE"
            print(said, flush=True)


def main() -> None:
    """Measure as the arguments say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--before", type=Path, help="folder of the other build's sources")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--chains", type=int, nargs="*", default=[16, 128])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for profile in profiles(options.file, options.chains, Path(folder)):
            measure(profile, options)


if __name__ == "__main__":
    main()
