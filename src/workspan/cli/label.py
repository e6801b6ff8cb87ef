"""``workspan label``: judge answers by hand, one after the other, without knowing how they came."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer
from rich.panel import Panel
from rich.text import Text

from workspan.app.specs import as_kind
from workspan.boundary.outputs import Output, check_outputs
from workspan.cli.exits import Exit
from workspan.cli.idle import refuse_idle
from workspan.cli.judging import ask, cut, read_line, said_of, user
from workspan.cli.label_store import label_store
from workspan.cli.plain import say_json
from workspan.cli.terminal import Terminal
from workspan.data.types import Problem
from workspan.errors import InputError
from workspan.legible import counted, one_line
from workspan.tasks import read_tasks

if TYPE_CHECKING:
    from workspan.lab.labelling.answered import Known
    from workspan.lab.labelling.answers import Chosen
    from workspan.lab.labelling.labels import Head, LabelFile


_OF_STORES = ["since", "every"]
"""What bears on nothing where a file's answers are judged."""
_OF_FILES = ["answered", "kind", "whole", "seed"]
"""What bears on nothing where a store's are."""


def label(
    context: typer.Context,
    answers: Annotated[
        Path | None, typer.Argument(help="What solve --output wrote; not with --store.")
    ] = None,
    *,
    to: Annotated[
        Path | None, typer.Option("--to", help="The file of labels; goes on where it ends.")
    ] = None,
    store: Annotated[
        str | None,
        typer.Option(
            "--store",
            metavar="FILE|postgresql://…",
            help="Judge what a gateway's serve --shadow ran beside, for advise.",
        ),
    ] = None,
    since: Annotated[str, typer.Option(help="With --store: how far back, such as 7d.")] = "30d",
    every: Annotated[
        bool, typer.Option("--every", help="With --store: answers that all agree on, too.")
    ] = False,
    n: Annotated[int, typer.Option("-n", "--n", min=1, help="Answers to judge.")] = 50,
    input: Annotated[Path | None, typer.Option(help="The problems, to show their text.")] = None,
    answered: Annotated[
        Path | None,
        typer.Option(help="Write those of --input whose right answer is known by now: for which."),
    ] = None,
    labeller: Annotated[
        str, typer.Option("--as", help="Who judges; another name judges the same answers.")
    ] = "",
    kind: Annotated[
        str | None,
        typer.Option(help="How answers are compared; else as --input says, or as text."),
    ] = None,
    whole: Annotated[
        bool, typer.Option("--whole", help="Show the whole text of an answer, too.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Of the choice.")] = 0,
    json: Annotated[bool, typer.Option("--json", help="At the end one JSON record.")] = False,
) -> None:
    """Judge answers by hand: right, wrong or unsure; each judgement is kept as it is made."""
    from workspan.lab.labelling.answered import kind_of, known_answers, write_answered
    from workspan.lab.labelling.answers import choose, questions, read_answers
    from workspan.lab.labelling.labels import FORMAT, Head, LabelFile, is_labels

    who = labeller.strip() or user()
    if store is not None:
        if any(path is not None for path in (answers, to, input, answered)):
            raise InputError("--store holds questions, answers and labels: name no files with it")
        refuse_idle(
            context,
            _OF_FILES,
            "--store has answers in the order and the form in which they were kept",
        )
        label_store(store, since, who, n, every=every, json=json)
        raise typer.Exit(Exit.OK)
    if answers is None or to is None:
        raise InputError("name what solve --output wrote, and --to FILE; or a gateway's --store")
    refuse_idle(context, _OF_STORES, "without --store all answers of the file are there")
    inputs = [("ANSWERS", answers), *([("--input", input)] if input else [])]
    outputs = [Output("--to", to, "a file of labels", is_labels), *_answered_output(answered)]
    check_outputs(outputs, inputs)
    if answered is not None and input is None:
        raise InputError("--answered writes problems of --input with their answers: name both")
    held = read_answers(answers)
    chosen = choose(held, n, seed)
    tasks = read_tasks(input) if input is not None else []
    asked = {one.problem.id: _text(one.problem) for one in tasks}
    questions(asked, chosen)
    told = "\0".join(f"{one.problem}\0{one.answer}" for one in held)
    digest = hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    kinds = {one.problem.kind for one in tasks}
    alike = kinds.pop() if len(kinds) == 1 else "text"
    head = Head(FORMAT, digest, n, seed, as_kind(kind) if kind else alike)
    if answered is not None:
        judging = {one.answered.problem for one in chosen}
        for task in (one for one in tasks if one.problem.id in judging):
            kind_of(task, head)  # or refuse, before anybody judges
    _say_beforehand(chosen, asked, input)
    with LabelFile(to, head) as file:
        sitting = _Sitting(chosen, asked, file, who, whole)
        sitting.judge()
        found = None if answered is None else known_answers(tasks, head, file.labels)
        if answered is not None and found is not None and found.rows:
            write_answered(found, answered)
        _close(file, who, chosen, to, head, found, json=json)
        if answered is not None and found is not None and not json:
            _say_answered(found, answered)
    raise typer.Exit(Exit.OK)


def _say_beforehand(
    chosen: Sequence[Chosen], asked: Mapping[str, str], source: Path | None
) -> None:
    """Say what an hour of judging would not bring."""
    aside = Terminal(stderr=True)
    if not _can_certify(chosen):
        aside.print(f"before you begin: {_NO_DRAWS}", soft_wrap=True)
    if asked and (bare := sum(one.answered.problem not in asked for one in chosen)):
        said = f"{bare} of {counted(len(chosen), 'answer')} have no question in {source}"
        aside.print(f"before you begin: {said}, and are shown alone", soft_wrap=True)


def _answered_output(path: Path | None) -> list[Output]:
    """Hold the file of problems with answers against what can be read again.

    Raises:
        InputError: it would not be by its name.
    """
    from workspan.lab.labelling.answered import ENDINGS, is_answered

    if path is None:
        return []
    if path.suffix.lower() not in ENDINGS:
        raise InputError(f"--answered {path}: a file of problems ends in {ENDINGS[0]}")
    return [Output("--answered", path, "problems with judged answers", is_answered)]


def _say_answered(found: Known, path: Path) -> None:
    """Say how many problems there are now, and what those that are missing mean."""
    console = Terminal()
    if not found.rows:
        console.print(f"no right answer is known yet: nothing was written to {path}")
        return
    console.print(
        f"{path}: {counted(len(found.rows), 'problem')} with the right answer, for which, "
        "calibrate and compare (--input)",
        soft_wrap=True,
    )
    if found.unknown:
        console.print(
            f"{counted(found.unknown, 'further one')} that the model got wrong, or may have, "
            "are not among them: all is right more often on the rest; say the right answer after "
            "a wrong one",
            soft_wrap=True,
        )


def _text(problem: Problem) -> str:
    return "\n".join(turn.text for turn in problem.prompt)


_NO_DRAWS = (
    "certify takes labels of plain votes alone (self_consistency), and some of these answers came "
    "otherwise: their labels say how many are right, and certify nothing"
)


def _can_certify(chosen: Sequence[Chosen]) -> bool:
    from workspan.lab.labelling.labels import is_plain

    return all(is_plain(one.answered.strategy) for one in chosen)


class _Sitting(NamedTuple):
    """One labeller, before the answers that were chosen."""

    chosen: Sequence[Chosen]
    asked: Mapping[str, str]
    file: LabelFile
    who: str
    whole: bool

    def judge(self) -> None:
        """Ask for one judgement after the other, until all are there or the labeller leaves."""
        from workspan.lab.labelling.labels import label as judgement

        place, names = 0, [one.answered.problem for one in self.chosen]
        done = self._done()
        while place < len(names):
            if names[place] in done:
                place += 1
                continue
            one = self.chosen[place]
            self._show(one, len(done) + 1)
            said = ask()
            if said.is_over:
                return
            if said.is_back:
                place = self._before(place, done)
                continue
            if said.verdict is None:
                continue
            reference = _reference() if said.verdict == "wrong" else None
            self.file.add(judgement(one, said.verdict, self.who, reference))
            done.append(names[place])

    def _done(self) -> list[str]:
        from workspan.lab.labelling.labels import latest

        return [*latest(self.file.labels).get(self.who, {})]

    def _before(self, place: int, done: list[str]) -> int:
        """Go back to the judgement that was made last in this file."""
        if not done:
            return place
        name = done.pop()
        return [one.answered.problem for one in self.chosen].index(name)

    def _show(self, one: Chosen, number: int) -> None:
        """Show question and answer: never who drew it, how often, or what the others said."""
        console, told = Terminal(stderr=True), one.answered
        console.rule(Text(f"{number} of {len(self.chosen)}: {one_line(told.problem, 80)}"))
        if (question := self.asked.get(told.problem)) is not None:
            console.print(Text(cut(question)))
        if self.whole and told.text:
            console.print(Text(cut(told.text), "dim"))
        console.print(Panel(Text(cut(told.answer or "")), title="answer", expand=False))


def _reference() -> str | None:
    return read_line("the right answer, if you know it (else just Enter): ", is_key=False) or None


def _close(
    file: LabelFile,
    who: str,
    chosen: Sequence[Chosen],
    to: Path,
    head: Head,
    known: Known | None,
    *,
    json: bool,
) -> None:
    """Say what there is by now, how far labellers agree, and what it is good for."""
    from workspan.lab.certifying.binomial import least_answered
    from workspan.lab.labelling.kappa import kappa
    from workspan.lab.labelling.labels import judged, latest

    by_labeller = latest(file.labels)
    mine = by_labeller.get(who, {})
    pairs = {
        f"{first}, {second}": kappa(by_labeller[first], by_labeller[second])
        for first, second in combinations(sorted(by_labeller), 2)
    }
    needed = least_answered(0.1, 0.1)
    if json:
        say_json(
            {
                "labeller": who,
                "judged": len(mine),
                "chosen": len(chosen),
                "right": sum(one.is_right for one in judged(file.labels)),
                "labelled": len(judged(file.labels)),
                "probability": chosen[0].probability,
                "seed": head.seed,
                "kappa": {name: found._asdict() for name, found in pairs.items()},
                "labels_needed": needed,
                **({} if known is None else {"answered": len(known.rows)}),
            }
        )
        return
    console = Terminal()
    console.print(
        f"{to}: {one_line(who, 40)} judged {len(mine)} of {len(chosen)}, "
        f"{sum(one.verdict == 'right' for one in mine.values())} as right"
        + ("" if len(mine) == len(chosen) else "; the same command goes on from there"),
        soft_wrap=True,
    )
    for name, found in pairs.items():
        console.print(f"agreement of {one_line(name, 80)}: {said_of(found)}", soft_wrap=True)
    use = (
        f"workspan certify --input {to} uses them; a risk of 0.1 at delta 0.1 takes "
        f"{counted(needed, 'answer')} at least, all right"
    )
    console.print(use if _can_certify(chosen) else _NO_DRAWS, soft_wrap=True)
