"""``workspan advise`` and ``workspan label --store``: from shadowed requests to a verdict."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from gateway.shadow.rig import fill, kept
from workspan.cli.main import app
from workspan.errors import InputError
from workspan.lab.advising.kept import Said, Shadowed
from workspan.lab.advising.simulated import ROUTES, traffic


def run(*arguments: str, typed: str = "") -> Result:
    result = CliRunner().invoke(app, arguments, input=typed)
    if isinstance(result.exception, InputError):
        raise result.exception
    return result


def records(*arguments: str, typed: str = "") -> list[dict[str, Any]]:
    result = run(*arguments, "--json", typed=typed)
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines() if line.startswith("{")]


@pytest.fixture
def store(tmp_path: Path) -> str:
    return str(tmp_path / "store.db")


def shadowed(n: int, *, text: bool = True) -> list[Shadowed]:
    """Return simulated requests without labels, whose answers say whether they are right."""
    found = []
    for one in traffic(ROUTES[0], n, 3, labels=True):
        right = {label.number for label in one.labels if label.verdict == "right"}
        said = [
            Said(x.number, ("yes" if x.number in right else "no") if text else None)
            for x in one.answers
        ]
        question = f"question {one.id}" if text else None
        found.append(replace(one, answers=tuple(said), labels=(), question=question))
    return found


def keep(store: str, requests: Sequence[Shadowed]) -> None:
    asyncio.run(fill(store, requests))


def test_from_shadows_to_labels_to_a_change(store: str) -> None:
    requests = shadowed(60)
    keep(store, requests)
    [before] = records("advise", "--store", store)
    assert (before["verdict"], before["truth"], before["requests"]) == (
        "undecided",
        "agreement",
        60,
    )
    answers = sum(len(one.answers) for one in requests if len(one.answers) > 1)
    typed = _typed(requests)
    [closed] = records("label", "--store", store, "--as", "ann", "-n", "1000", typed=typed)
    assert (closed["labeller"], closed["judged"], closed["answers"]) == ("ann", answers, answers)
    [after] = records("advise", "--store", store, "--since", "1d")
    assert (after["verdict"], after["truth"]) == ("change", "labels")
    assert after["recommend"] == "self_consistency(n=9)"
    assert after["low"] > 0
    shown = run("advise", "--store", store).stdout
    assert "self_consistency(n=9)" in shown
    assert "change" in shown


def _typed(requests: Sequence[Shadowed]) -> str:
    """Judge as the texts say: the sitting shows them in the order that the room gives."""
    from workspan.lab.labelling.shadowed import to_judge

    return "".join("r\n" if one.said.text == "yes" else "w\n" for one in to_judge(requests))


def test_a_sitting_is_blind_goes_back_and_goes_on(store: str) -> None:
    keep(store, shadowed(20))
    result = run("label", "--store", store, "--as", "ann", typed="r\nb\nw\nx\nu\nq\n")
    assert result.exit_code == 0
    for word in ("straight", "self_consistency", "work", "simulated,", "agree"):
        assert word not in result.stderr
    assert "question 0000" in result.stderr
    labels = [label for one in asyncio.run(kept(store)) for label in one.labels]
    assert sorted(label.verdict for label in labels) == ["unsure", "wrong"]
    [closed] = records("label", "--store", store, "--as", "ann", "-n", "1", typed="r\n")
    assert closed["judged"] == 3
    [other] = records("label", "--store", store, "--as", "bob", "-n", "3", typed="w\nu\nr\n")
    assert other["kappa"]["ann, bob"]["both"] == 3
    assert "Cohen's kappa" in run("label", "--store", store, "--as", "bob", typed="q\n").stdout


def test_what_can_not_be_judged_is_said(store: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no store"):
        run("label", "--store", store)
    with pytest.raises(InputError, match="there is no store"):
        run("advise", "--store", store)
    keep(store, [])
    with pytest.raises(InputError, match="serve --shadow does so"):
        run("label", "--store", store)
    with pytest.raises(InputError, match="serve --shadow does so"):
        run("advise", "--store", store)
    keep(store, shadowed(20, text=False))
    with pytest.raises(InputError, match="keeps='texts'"):
        run("label", "--store", store)
    with pytest.raises(InputError, match="name no files"):
        run("label", "answers.jsonl", "--store", store)
    with pytest.raises(InputError, match="or a gateway's --store"):
        run("label")
    with pytest.raises(InputError, match="--since"):
        run("advise", "--store", store, "--since", "soon")
    with pytest.raises(InputError, match="margin"):
        run("advise", "--store", store, "--margin", "2")


def test_where_all_agree_nothing_is_asked_unless_wished(store: str) -> None:
    same = [one for one in shadowed(40) if len(one.answers) == 1]
    keep(store, same)
    with pytest.raises(InputError, match="nothing has to be judged"):
        run("label", "--store", store)
    [closed] = records("label", "--store", store, "--every", "--as", "ann", typed="r\nq\n")
    assert (closed["judged"], closed["answers"]) == (1, len(same))


def test_only_what_came_since_counts(store: str) -> None:
    keep(store, shadowed(30))
    day = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 2 * 86_400))
    with pytest.raises(InputError, match="no request since"):
        run("advise", "--store", store, "--since", day)
