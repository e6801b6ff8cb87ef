"""`auto` against each published controller at the work that the controller itself takes.

Whole replays of recorded chains: a controller runs with no budget, so it stops by its own rule; its
mean work a problem, for one recording (one model), is then the mean budget of `auto`, of the best
fixed split of the training folds, and of the oracle, which uses labels. Folds by problem, the same
orders of chains for all; a rival may draw as many chains as were recorded of every problem.
Differences are paired by problem, with 95 % intervals. Work is tokens, or characters where nobody
counted tokens.

Run with ``python -m benchmarks.own_work``: the recorded chains of Qwen3, looked at on the way.
``--samples`` takes the recordings of whole samples instead, with at least 20 a problem; ``--only
TEXT`` those whose name holds it, ``--data FOLDER``. The recordings are not part of the project.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from statistics import fmean

import anyio
from benchmarks.vote_stopping import CHAINS, DATA, LEAST, SAMPLES

from workspan.data.budget import Budget
from workspan.lab.replay.held_out import Outcome
from workspan.lab.replay.methods import read_methods
from workspan.lab.replay.replay import Replayed, replay
from workspan.lab.stats import paired_difference
from workspan.recordings.parquet import read_recordings
from workspan.recordings.recording import Recording
from workspan.spec import split_list

VOTES = (
    "single,self_consistency(n={half}),adaptive_consistency(n={n}),esc(n={n}),"
    "short_m_at_k(m=1, k={short}),short_m_at_k(m=3, k={short})"
)
PROBES = ",parallel_probe(n={probed}),luby"
"""Those that ask a chain on the way."""
OURS = "auto,best_fixed,oracle"


def recordings(names: Sequence[str], data: Path, only: str) -> Iterator[Recording]:
    """Read what was recorded with enough chains of every problem."""
    for name in names:
        for one in read_recordings(data / f"{name}.parquet").recordings:
            if only in one.name and chains(one) >= LEAST:
                yield one


def chains(one: Recording) -> int:
    """Count the chains that every problem has."""
    return min(len(own) for own in one.chains.values())


def rivals(one: Recording) -> str:
    """Write each controller with the dials of its paper, as wide as the recording."""
    n = chains(one)
    form = VOTES + PROBES if one.is_probed else VOTES
    return form.format(n=n, half=n // 2, short=min(20, n), probed=min(64, n))


def run(one: Recording, strategies: str, budgets: list[Budget], seeds: int) -> Replayed:
    """Replay by problem."""
    read = read_methods(strategies)
    return anyio.run(partial(replay, seeds=seeds), [one], read, budgets)


def of(done: Replayed, strategy: str, budget: Budget) -> list[Outcome]:
    """Pick one strategy's outcomes, in the order of problems."""
    found = [o for o in done.outcomes if (o.strategy, o.budget) == (strategy, budget)]
    return sorted(found, key=lambda outcome: outcome.problem)


def ahead(ours: list[Outcome], theirs: list[Outcome]) -> str:
    """Say by how many points `ours` is ahead."""
    found = paired_difference([o.correct for o in ours], [o.correct for o in theirs])
    assert found is not None
    return f"{100 * found.mean:+.1f} [{100 * found.low:+.1f}, {100 * found.high:+.1f}]"


def told(outcomes: list[Outcome]) -> str:
    """Write accuracy and work."""
    work = fmean(o.work for o in outcomes)
    return f"{100 * fmean(o.correct for o in outcomes):.1f} with {work:,.0f}"


def lines(one: Recording, seeds: int) -> Iterator[str]:
    """Set each rival beside `auto` at the rival's work."""
    written = rivals(one)
    names = split_list(written)
    base = run(one, written, [Budget()], seeds)
    theirs = {name: of(base, name, Budget()) for name in names}
    budgets = {
        name: Budget(work=max(1, round(fmean(o.work for o in own)))) for name, own in theirs.items()
    }
    done = run(one, OURS, list(dict.fromkeys(budgets.values())), seeds)
    for name in names:
        auto, fixed, oracle = (of(done, x, budgets[name]) for x in split_list(OURS))
        cells = (
            f"`{name}`",
            told(theirs[name]),
            told(auto),
            ahead(auto, theirs[name]),
            told(fixed),
            ahead(auto, fixed),
            f"{100 * fmean(o.correct for o in oracle):.1f}",
        )
        yield f"| {' | '.join((one.name, *cells))} |"


def main() -> None:
    """Print a Markdown table, a recording at a time."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--samples", action="store_true", help="whole samples, not looked at")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--only", default="", help="recordings whose name holds this")
    parser.add_argument("--seeds", type=int, default=2, help="orders of chains")
    asked = parser.parse_args()
    chosen = [f"recordings/{name}" for name in SAMPLES] if asked.samples else [f"chains/{CHAINS}"]
    print(
        "| recording | rival | its accuracy %, work | auto | auto is ahead by | best fixed |"
        " auto is ahead by | oracle % |\n|---|---|---|---|---|---|---|---|"
    )
    for one in recordings(chosen, asked.data, asked.only):
        for line in lines(one, asked.seeds):
            print(line, flush=True)


if __name__ == "__main__":
    main()
