"""The walk verifier passes proofs and nothing else, without a reference."""

from __future__ import annotations

from random import Random
from typing import cast

import anyio
import pytest

from workspan.answers import extract
from workspan.core.session import Score, Session
from workspan.data.types import Candidate, Problem
from workspan.errors import VerifierError
from workspan.runner import run_sync
from workspan.spec import parse_strategy
from workspan.testing.scripted import ScriptedEngine
from workspan_evidence.families.connectivity import Bridge, Deep
from workspan_evidence.families.connectivity import Path as Line
from workspan_evidence.families.heavy import Heavy
from workspan_evidence.grammar import decode
from workspan_evidence.verifiers.walk import Walk

NO_SESSION = cast("Session", None)


def score(prompt: str, text: str) -> Score:
    problem = Problem.ask(prompt, kind="symbols")
    candidate = Candidate(text, extract(text, "symbols"))
    return anyio.run(Walk(), problem, candidate, NO_SESSION)


@pytest.mark.parametrize("family", [Line(5), Deep(4), Bridge(2), Heavy(1, 2)])
def test_a_chain_of_the_familys_own_passes_and_a_bare_guess_does_not(
    family: Line | Deep | Bridge | Heavy,
) -> None:
    for seed in range(20):
        rng = Random(seed)
        instance = family.problem(rng)
        chain = family.chain(instance, rng)
        if chain.ids[-2:-1] == (instance.answer,):
            assert score(instance.text, decode(chain.ids)).value == 1
        for guess in instance.candidates:
            assert score(instance.text, decode((instance.source,)) + f" = n{guess}").value == 0
            assert score(instance.text, f"= n{guess}").value == 0


def test_what_leaves_the_graph_or_the_grammar_fails() -> None:
    instance = Line(3).problem(Random(1))
    path = decode(Line(3).chain(instance, Random(1)).ids[:3])
    good = f"n{instance.answer}"
    assert score(instance.text, f"{path} = {good}").value == 1
    for text in (
        f"{path} = n{instance.decoy}",
        f"{path} = n95 n95",
        f"{path} hello = {good}",
        f"{path}",
        f"{path} = ?",
        f"{path.split()[1]} {path.split()[2]} = {good}",
    ):
        assert score(instance.text, text).value == 0


@pytest.mark.parametrize("prompt", ["Which?", "<s> parity ? direct : 0 1", "<s> ; n1 n2 ? n2", ""])
def test_other_problems_have_no_verdict(prompt: str) -> None:
    with pytest.raises(VerifierError, match="no graph"):
        score(prompt, "n1 = n2")


def test_the_best_of_two_is_the_one_that_proves() -> None:
    instance = Line(2).problem(Random(2))
    proof = decode(Line(2).chain(instance, Random(2)).ids)
    guess = f"= n{instance.decoy} </s>"
    problem = Problem.ask(instance.text, kind="symbols")
    strategy = parse_strategy("best_of_n(n=2, verifier=walk)")
    answer = run_sync(strategy, problem, ScriptedEngine([guess, proof])).answer
    assert answer.text == f"n{instance.answer}"
