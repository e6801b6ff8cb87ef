from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workspan.errors import SpecError
from workspan.spec import STRATEGIES, VERIFIERS, parse_strategy, split_list, write
from workspan.strategies.parallel.best_of_n import BestOfN
from workspan.strategies.parallel.self_consistency import SelfConsistency
from workspan.verifiers.judge import Judge


def test_a_name_alone_is_the_default() -> None:
    assert parse_strategy("self_consistency") == SelfConsistency()


def test_specs_nest() -> None:
    parsed = parse_strategy("best_of_n(n=3, verifier=judge(max_tokens=4))")
    assert parsed == BestOfN(n=3, verifier=Judge(max_tokens=4))


@given(n=st.integers(1, 99), temperature=st.floats(0, 2, allow_nan=False))
def test_what_is_written_reads_back_equal(n: int, temperature: float) -> None:
    strategy = BestOfN(n=n, temperature=temperature, verifier=Judge(max_tokens=n))
    assert parse_strategy(write(strategy)) == strategy


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("self_consistancy", "did you mean 'self_consistency'"),
        ("self_consistency(m=3)", "no parameter 'm'"),
        ("self_consistency(temprature=1.0)", "did you mean 'temperature'"),
        ("self_consistency(n=0)", "n is 0: must be at least 1"),
        ("self_consistency(n='8')", "n must be int"),
        ("self_consistency(n=True)", "n must be int"),
        ("self_consistency(8)", "by name"),
        ("self_consistency(n=", "not understood"),
        ("self_consistency(n=open('x'))", "plain value"),
        ("best_of_n(verifier=jugde)", "did you mean 'judge'"),
        ("best_of_n(verifier=3)", "expected a verifier"),
        ("__import__('os').system('x')", "expected a strategy"),
        ("", "not understood"),
    ],
)
def test_wrong_specs_say_what_would_be_right(text: str, said: str) -> None:
    with pytest.raises(SpecError, match=said.replace("(", r"\(").replace(")", r"\)")):
        parse_strategy(text)


def test_lists_split_outside_brackets_and_quotes() -> None:
    text = "single, grid(breadth=2, depth=3),budget_forcing(nudge='a,b')"
    assert split_list(text) == ["single", "grid(breadth=2, depth=3)", "budget_forcing(nudge='a,b')"]


def test_every_name_loads_and_says_where_it_comes_from() -> None:
    for named in (*STRATEGIES.values(), *VERIFIERS.values()):
        assert named.summary.endswith((".", ":"))
        assert named.card.source.startswith(("arXiv:", "doi:", "https:", "this package"))
