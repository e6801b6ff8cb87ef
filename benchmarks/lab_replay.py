"""How fast a replay is: against another build of this project, and episodes of one rule a second.

    python -m benchmarks.lab_replay FILE [--before OTHER/src] [--rounds 3] [--models NAME …]

Each round runs `workspan replay FILE` with this build and the other one after the other, with all
cores, and compares their records: all that both have but milliseconds must be the same. Processor
seconds, those of workers included, are what to read on a busy machine, wall seconds on an idle one.
Both builds are compiled before, as installed packages are: one small replay each is not counted.
Then CMC is played on the first recording's chains by `episodes.play`, and plans are chosen for
budgets on its training part, both on one core, in processor seconds.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from benchmarks.paired import ratio

from workspan.lab.calibrating import calibrate
from workspan.lab.replay.episodes import Chains, orders, play
from workspan.lab.replay.folds import Folds
from workspan.recordings.parquet import read_recordings
from workspan.recordings.recording import Recording
from workspan.search.cmc_batch import CmcBatch
from workspan.strategies.auto.fit.evaluation import Evaluations
from workspan.strategies.auto.fit.rules import fitted

STRATEGIES = (
    "best_fixed,single,self_consistency(n=8),adaptive_consistency,esc,auto,auto_hard,oracle"
)
BUDGETS = "4k,8k,16k,32k,64k,128k"
HERE = Path(__file__).parents[1] / "src"


class Run(NamedTuple):
    """One replay in a process of its own."""

    wall: float
    processor: float
    records: list[dict[str, object]]


def replayed(source: Path, options: argparse.Namespace, compiled: str, *more: str) -> Run:
    """Replay with the build whose sources are there; modules are kept compiled in a folder."""
    command = [sys.executable, "-m", "workspan", "replay", str(options.file), "--json"]
    command += ["-s", options.strategies, "-b", options.budgets, "--seeds", str(options.seeds)]
    command += [word for name in options.models for word in ("-m", name)] + [*more]
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    told = {**os.environ, "PYTHONPATH": str(source), "PYTHONPYCACHEPREFIX": compiled}
    told.pop("PYTHONDONTWRITEBYTECODE", None)
    done = subprocess.run(command, env=told, capture_output=True, text=True, check=True)
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Run(wall, spent, [json.loads(line) for line in done.stdout.splitlines()])


def differing(ours: Run, theirs: Run) -> int:
    """Count the records that differ in anything that both have but milliseconds."""
    pairs = zip(ours.records, theirs.records, strict=True)
    common = [(a.keys() & b.keys() - {"milliseconds"}, a, b) for a, b in pairs]
    return sum(any(a[key] != b[key] for key in keys) for keys, a, b in common)


def compare(options: argparse.Namespace) -> None:
    """Print the paired ratios of the two builds."""
    builds, rounds = (HERE, options.before), list[tuple[Run, Run]]()
    with tempfile.TemporaryDirectory() as compiled:
        for build in builds:
            replayed(build, options, compiled, "--limit", "10")
        for _ in range(options.rounds):
            ours, theirs = (replayed(build, options, compiled) for build in builds)
            rounds.append((ours, theirs))
    for name in ("wall", "processor"):
        own, other = ([getattr(run, name) for run in side] for side in zip(*rounds, strict=True))
        print(f"{name} seconds: {own} against {other}: {ratio(other, own)} times as fast")
    print("records that differ:", sum(differing(*pair) for pair in rounds))


def episodes(recording: Recording, times: int) -> None:
    """Print how many episodes of CMC a second are played."""
    chains = Chains.of(recording)
    policy = CmcBatch(0.5, chains.step, recording.longest)
    problem, order = orders(chains, times)
    play(policy, chains, problem[:64], order[:64])
    began = time.process_time()
    found = play(policy, chains, problem, order)
    spent = time.process_time() - began
    print(f"cmc(beta=0.5): {len(problem)} episodes, {len(problem) / spent:.0f} a second")
    print(f"  right {found.right.mean():.4f}, work {found.work.mean():.0f}")


def plans(recording: Recording) -> None:
    """Print what a profile takes to be evaluated, and a plan for a budget to be chosen."""
    profile = calibrate(Folds().split([recording])[0].training)
    began = time.process_time()
    evaluations = Evaluations.of(profile)
    assert evaluations.within().outcomes
    print(f"a profile is evaluated in {time.process_time() - began:.2f} s")
    for work in (4_000, 16_000, 64_000):
        began = time.process_time()
        fitted(evaluations.within(), work=work)
        pooled = time.process_time() - began
        began = time.process_time()
        fitted(evaluations.within(work), work=work)
        print(f"  {work}: mean {pooled:.3f} s, limit {time.process_time() - began:.3f} s")


def main() -> None:
    """Measure as the arguments say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--before", type=Path, help="folder of the other build's sources")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--strategies", default=STRATEGIES)
    parser.add_argument("--budgets", default=BUDGETS)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--models", nargs="*", default=[])
    parser.add_argument("--times", type=int, default=84, help="orders of each problem's chains")
    options = parser.parse_args()
    recording = read_recordings(options.file, options.models).recordings[0]
    episodes(recording, options.times)
    plans(recording)
    if options.before:
        compare(options)


if __name__ == "__main__":
    main()
