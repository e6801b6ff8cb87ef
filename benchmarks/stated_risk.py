"""Answers at a stated risk: what certificates take on recorded draws, and how often they are false.

Four parts. (1) Certificates of the mode on six recordings of thinking models (Qwen3 0.6B, 1.7B and
8B on AIME24 and AIME25: 30 problems each, 128 chains a problem; from zhengkid/AutoTTS, without a
licence and no part of the project): share of 64 draws, problems certified, and how often what is
certified is not the most frequent of all 128. (2) False certificates simulated where none can be
true, rivals unseen for long and heavy tails among them, beside MMC as published. (3) Coverage of
mode risk in simulated worlds whose risk is known, one with a risk that falls where it should rise.
(4) Mode risk on recordings, calibrated on one half of the problems and looked at on the other.

Run with ``python -m benchmarks.stated_risk``; ``--smoke`` for a few runs of each, ``--page FILE``
for the page. The same seeds give the same figures.
"""

from __future__ import annotations

import argparse
import json
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

from workspan.lab.calibrating import calibrate
from workspan.lab.certifying.binomial import upper
from workspan.lab.certifying.certify import CORRECTIONS, Trial, Wish, chosen, thresholds
from workspan.lab.certifying.replayed import Replayed, Votes, replayed, votes_of
from workspan.lab.stats import bootstrap, wilson
from workspan.recordings.parquet import read_recordings
from workspan.search.mode_certificate import ModeCertificate
from workspan.search.mode_set import ModeSet
from workspan.search.stated_votes import NO_ANSWER, AgreementVotes, ModeVotes
from workspan.strategies.auto.fit.profile import Profile

DATA = Path(__file__).parents[2] / "shared" / "data"
CHAINS = DATA / "chains" / "parallel_probe_qwen3.parquet"
DELTA = 0.1
DRAWS = 64
HOPELESS = (0.0, 0.02, 0.05)
TARGET = 0.45
"""Mean share of 64 draws, at delta 0.1."""

LAWS: dict[str, list[float]] = {
    "two of 1/2": [0.5, 0.5],
    "two of .4, ten of .02": [0.4, 0.4] + [0.02] * 10,
    "two of .25, the rest by 1/rank of 200": [
        0.25,
        0.25,
        *(0.5 / rank / sum(1 / k for k in range(1, 201)) for rank in range(1, 201)),
    ],
    "two of .1, 400 of .002 (rivals unseen for long)": [0.1, 0.1] + [0.002] * 400,
    "three of 1/3": [1 / 3] * 3,
    "ten of .1": [0.1] * 10,
    "200 of .005": [0.005] * 200,
    ".49 against .51": [0.49, 0.51],
}
"""Shares of answers. All but the last have several modes, so that no certificate is true."""

FEW = 20
"""Answers of a law beyond which a tenth of the runs is made: none of these comes near delta."""

RECORDINGS: tuple[tuple[str, str, int], ...] = (
    ("recordings/esc_last_letters_gpt35.parquet", "", 40),
    ("recordings/epoch_gpqa_diamond.parquet", "", 8),
    ("recordings/epoch_otis_mock_aime.parquet", "", 16),
    ("chains/parallel_probe_qwen3.parquet", "", 64),
)
"""File, model (all if empty) and draws; of a file the recordings that can be voted on."""


class Cut(NamedTuple):
    """One rule on one store."""

    share: float
    certified: float
    false: int
    """Certified, and not the most frequent of all that was recorded."""
    made: int


def stores(models: Sequence[str] = ()) -> Iterator[tuple[str, Profile]]:
    """Give each of the six stores."""
    for task in ("aime24", "aime25"):
        for recording in read_recordings(CHAINS, models, [task]).recordings:
            yield f"{recording.model.partition('/')[2]} {task}", calibrate([recording])


def elected(profile: Profile) -> list[frozenset[int]]:
    """Return the most frequent answers of all draws of each problem, several where equal."""
    found = []
    for case in profile.problems:
        counts = Counter(chain.groups[-1] for chain in case.chains if chain.ended)
        most = max(counts.values(), default=0)
        found.append(frozenset(one for one, n in counts.items() if n == most))
    return found


def _missed(name: str, share: float, never: float, sure: float) -> str:
    return (
        f"Missed by *{name}*: {share - TARGET:.3f} above the target. {never:.0%} of its runs have "
        f"no certificate within 64 draws and count whole, which alone is {never:.2f}; the "
        f"others take {sure:.2f}."
    )


def published(votes: Votes) -> Replayed:
    """Go along the draws under MMC as it was published."""
    certificate, counts = ModeCertificate(DELTA), Counter[int]()
    for drawn, answer in enumerate(votes.answers, 1):
        if answer != NO_ANSWER:
            counts[answer] += 1
            certificate.vote(answer)
        if certificate.is_certain:
            leader = counts.most_common(1)[0][0]
            return Replayed(leader, leader, drawn, sum(votes.tokens[:drawn]))
    return Replayed(None, NO_ANSWER, len(votes.answers), sum(votes.tokens))


RULES: dict[str, Callable[[Votes], Replayed]] = {
    **{
        f"mode, gives up below {h:g}" if h else "mode, never gives up": lambda votes, h=h: replayed(
            votes, ModeVotes(DELTA, DRAWS, h)
        )  # type: ignore[misc]
        for h in HOPELESS
    },
    "mmc as published": published,
}


def on_stores(orders: int) -> list[str]:
    """Measure the certificates on the six stores."""
    held = [(name, profile, elected(profile)) for name, profile in stores()]
    lines = [
        "| rule | share of 64 | certified | share where certified | false | work | "
        + " | ".join(name for name, *_ in held)
        + " |",
        "|" + "---|" * (6 + len(held)),
    ]
    reached: list[tuple[str, float, float, float]] = []
    for name, rule in RULES.items():
        by_problem: dict[str, list[float]] = {}
        shares: list[float] = []
        replays: list[Replayed] = []
        sure: list[float] = []
        false, work, per = 0, [], []
        for store, profile, modes in held:
            own = []
            for order in range(orders):
                votes = votes_of(profile, DRAWS, order)
                for i, one in enumerate(votes):
                    went = rule(one)
                    replays.append(went)
                    own.append(went.drawn / DRAWS)
                    work.append(went.work / sum(one.tokens))
                    by_problem.setdefault(f"{store.split()[1]} {i}", []).append(own[-1])
                    if went.answer is not None:
                        sure.append(own[-1])
                        false += modes[i] != {went.answer}
            shares += own
            per.append(fmean(own))
        reached.append((name, fmean(shares), 1 - len(sure) / len(shares), fmean(sure)))
        low, high = bootstrap([fmean(one) for one in by_problem.values()])
        made = sum(one.answer is not None for one in replays)
        interval = wilson([1.0] * false + [0.0] * (made - false))
        cells = (
            name,
            f"{fmean(shares):.3f} [{low:.3f}, {high:.3f}]",
            f"{made / len(replays):.3f}",
            f"{fmean(sure):.3f}",
            f"{false} of {made} (at most {interval.high:.4f})",
            f"{fmean(work):.3f}",
            *(f"{one:.2f}" for one in per),
        )
        lines.append(f"| {' | '.join(cells)} |")
    lines += ["", *(_missed(*one) for one in reached if one[1] > TARGET)]
    return lines


def simulated(runs: int, looks: int) -> list[str]:
    """Count false certificates where answers are drawn by a known law."""
    lines = [
        "| law (simulated) | delta .1: mode | mmc as published | delta .05: mode |",
        "|---|---|---|---|",
    ]
    for name, law in LAWS.items():
        rng, most = random.Random(name), max(law)
        modes = [i for i, share in enumerate(law) if share == most]
        false = [0, 0, 0]
        times = runs if len(law) <= FEW else runs // 10
        for _ in range(times):
            votes = rng.choices(range(len(law)), law, k=looks)
            tests: list[ModeSet | ModeCertificate]
            tests = [ModeSet(0.1), ModeCertificate(0.1), ModeSet(0.05)]
            for i, test in enumerate(tests):
                false[i] += _is_false(votes, test, modes)
        cells = [_rate(count, times) for count in false]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines


def _is_false(votes: Sequence[int], test: ModeSet | ModeCertificate, modes: Sequence[int]) -> bool:
    counts = Counter[int]()
    for answer in votes:
        counts[answer] += 1
        test.vote(answer)
        if test.is_certain:
            leader = test.leader if isinstance(test, ModeSet) else counts.most_common(1)[0][0]
            return modes != [leader]
    return False


def _rate(count: int, runs: int) -> str:
    low, high = wilson([1.0] * count + [0.0] * (runs - count))
    return f"{count / runs:.4f} [{low:.4f}, {high:.4f}]"


class World(NamedTuple):
    """Problems by a known law."""

    name: str
    right: Callable[[float], float]
    """P(the frequent answer is right), by its share."""


WORLDS = (
    World("risk falls with agreement", lambda share: 0.5 + 0.5 * share),
    World("risk at its largest where all agree", lambda share: 0.88 if share < 0.9 else 0.62),
    World("risk .155 whatever the agreement", lambda _: 0.845),
)


def made(world: World, n: int, draws: int, rng: random.Random) -> list[Votes]:
    """Draw problems: the frequent answer has a share from 0 to 1, the rest falls on four."""
    found = []
    for _ in range(n):
        share = rng.random()
        good = 0 if rng.random() < world.right(share) else 9
        answers = tuple(0 if rng.random() < share else rng.randint(1, 4) for _ in range(draws))
        found.append(Votes(answers, (1,) * draws, frozenset((good,))))
    return found


class Rows(NamedTuple):
    """How every threshold went on every problem."""

    answered: list[list[bool]]
    wrong: list[list[bool]]
    share: list[list[float]]
    tested: tuple[float, ...]

    @classmethod
    def of(cls, votes: Sequence[Votes], draws: int) -> Rows:
        """Replay every problem under every threshold."""
        tested = thresholds(draws)
        replays = [[replayed(one, AgreementVotes(t, draws)) for one in votes] for t in tested]
        answered = [[one.answer is not None for one in row] for row in replays]
        wrong = [
            [w.answer is not None and w.answer not in (v.right or ()) for w, v in pairs]
            for pairs in (list(zip(row, votes, strict=True)) for row in replays)
        ]
        share = [[one.drawn / draws for one in row] for row in replays]
        return cls(answered, wrong, share, tested)

    def choose(self, places: Sequence[int], wish: Wish) -> int | None:
        """Return the threshold that is certified on these problems, by its place."""
        trials = [
            Trial(t, sum(a[i] for i in places), sum(w[i] for i in places), wish.alpha)
            for t, a, w in zip(self.tested, self.answered, self.wrong, strict=True)
        ]
        found = chosen(trials, wish)
        return None if found is None else self.tested.index(found.threshold)

    def risk(self, place: int, problems: Sequence[int]) -> tuple[int, int]:
        """Return the wrong and the answered of these problems at a threshold."""
        a, w = self.answered[place], self.wrong[place]
        return sum(w[i] for i in problems), sum(a[i] for i in problems)


def coverage(runs: int, alpha: float = 0.15, draws: int = 12) -> list[str]:
    """Count the calibrations that certify a risk which is above alpha in truth."""
    lines = [
        "| world (simulated) | labels | correction | risk above alpha | certified | answered |",
        "|---|---|---|---|---|---|",
    ]
    for world in WORLDS:
        rng = random.Random(world.name)
        truth = Rows.of(made(world, 40 * runs, draws, rng), draws)
        everyone = range(len(truth.answered[0]))
        risks = [truth.risk(place, everyone) for place in range(len(truth.tested))]
        for labels in (50, 150):
            rows = [Rows.of(made(world, labels, draws, rng), draws) for _ in range(runs)]
            for correction in CORRECTIONS:
                wish = Wish("risk", alpha, DELTA, draws, correction=correction)
                found = [one.choose(range(labels), wish) for one in rows]
                held = [place for place in found if place is not None]
                bad = sum(risks[place][0] > alpha * risks[place][1] for place in held)
                share = [risks[place][1] / len(everyone) for place in held]
                lines.append(
                    f"| {world.name} | {labels} | {correction} | {_rate(bad, runs)} "
                    f"| {len(held) / runs:.2f} | {fmean(share) if share else 0:.2f} |"
                )
    return lines


def held_out(splits: int, alphas: Sequence[float] = (0.05, 0.1)) -> list[str]:
    """Calibrate on one half of the problems, and look at the answers on the other."""
    lines = [
        "| recording | problems | draws | alpha | splits certified | risk on the other half "
        "| above alpha there, clearly | answered there | share of draws |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    tried = dict.fromkeys(alphas, 0)
    pooled: dict[float, list[tuple[int, int]]] = {alpha: [] for alpha in alphas}
    for name, votes, draws in _recorded():
        rows, n = Rows.of(votes, draws), len(votes)
        for alpha in alphas:
            tried[alpha] += splits
            wish = Wish("risk", alpha, DELTA, draws)
            seen, share = [], []
            for split in range(splits):
                order = random.Random(split).sample(range(n), n)
                place = rows.choose(order[: n // 2], wish)
                if place is not None:
                    seen.append(rows.risk(place, order[n // 2 :]))
                    share += [rows.share[place][i] for i in order[n // 2 :]]
            if not seen:
                continue
            pooled[alpha] += seen
            bad, given = sum(w for w, _ in seen), sum(a for _, a in seen)
            above, clearly = (count / splits for count in _above(seen, alpha))
            lines.append(
                f"| {name} | {n} | {draws} | {alpha:g} | {len(seen)} of {splits} "
                f"| {bad / given if given else 0:.3f} | {above:.2f}, {clearly:.2f} "
                f"| {given / len(seen) / (n - n // 2):.2f} | {fmean(share):.2f} |"
            )
    for alpha, seen in pooled.items():
        if seen:
            bad, given = sum(w for w, _ in seen), sum(a for _, a in seen)
            above, clearly = (count / tried[alpha] for count in _above(seen, alpha))
            lines.append(
                f"| all | | | {alpha:g} | {len(seen)} of {tried[alpha]} | {bad / given:.3f} "
                f"| {above:.2f}, {clearly:.2f} | | |"
            )
    return lines


def _above(seen: Sequence[tuple[int, int]], alpha: float) -> tuple[int, int]:
    """Count the halves whose risk is above alpha, and those where that is hardly chance."""
    above = sum(w > alpha * a for w, a in seen)
    return above, sum(1 - upper(a - w, a, 0.05) > alpha for w, a in seen)


def _recorded() -> Iterator[tuple[str, list[Votes], int]]:
    for file, model, draws in RECORDINGS:
        for recording in read_recordings(DATA / file, [model] if model else []).recordings:
            if sum(len(many) >= draws for many in recording.chains.values()) < 2 * 22:
                continue
            votes = [
                one for one in votes_of(calibrate([recording]), draws) if one.right is not None
            ]
            yield f"{Path(file).stem}: {recording.model}{_dial(recording.setting)}", votes, draws


_OF_A_RUN = ("created", "epochs", "run_id", "branches", "probe_freq")
"""What a setting says of a run and not of how it was drawn."""


def _dial(setting: str) -> str:
    """Return what tells a setting from others of its model: its short words."""
    try:
        told = json.loads(setting)
    except ValueError:
        return f" {setting}"
    words = [str(value) for name, value in told.items() if name not in _OF_A_RUN]
    return "".join(f" {word}" for word in words if len(word) <= 12)


def page(orders: int, runs: int, looks: int, worlds: int, splits: int) -> str:
    """Measure all four parts and lay them out as Markdown."""
    return "\n".join(
        [
            "# Answers at a stated risk: results",
            "",
            "Generated by `python -m benchmarks.stated_risk --page FILE`; not edited by hand.",
            "",
            "## Certificates of the mode on recorded chains",
            "",
            f"Six recordings of Qwen3, 30 problems each, {orders} orders, 64 draws at most, delta "
            f"{DELTA:g}. *false*: certified, and not the one most frequent answer of all 128, "
            "which stands for the truth. *work*: tokens, as a share of those of all 64. Intervals: "
            f"95 %, over problems. Target: {TARGET:g} of 64.",
            "",
            *on_stores(orders),
            "",
            "## False certificates, simulated",
            "",
            f"{runs} runs of {looks} votes (a tenth of the runs where there are more than {FEW} "
            "answers), a look after each; nothing gives up. Share of runs "
            "with a certificate that is not true, 95 % (Wilson).",
            "",
            *simulated(runs, looks),
            "",
            "## Coverage of mode risk, simulated",
            "",
            f"{worlds} calibrations each at alpha 0.15, delta {DELTA:g}, 12 draws. *risk above "
            "alpha*: share of calibrations that certify a threshold of which the true risk is; "
            "it should be at most delta. The second world breaks what the fixed sequence assumes.",
            "",
            *coverage(worlds),
            "",
            "## Mode risk on recordings, by halves of the problems",
            "",
            f"{splits} splits each, delta {DELTA:g}: calibrated on one half, looked at on the "
            "other, whose own risk is a small sample's: *clearly above*: its exact lower bound of "
            "95 % is above alpha. Shares are of all splits, those that certify nothing "
            "included. Recordings with fewer than 44 problems of so many draws have no row, nor "
            "those on which no split certifies.",
            "",
            *held_out(splits),
            "",
        ]
    )


def main() -> None:
    """Measure, and print or write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--smoke", action="store_true", help="a few runs of each part")
    parser.add_argument("--page", type=Path, help="write the page here")
    told = parser.parse_args()
    text = page(1, 20, 50, 5, 3) if told.smoke else page(10, 3000, 100, 300, 40)
    if told.page:
        told.page.write_text(text)
    else:
        print(text)  # its output


if __name__ == "__main__":
    main()
