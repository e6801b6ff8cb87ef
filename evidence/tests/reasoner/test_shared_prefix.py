"""Chains decoded together are the chains decoded alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from workspan_evidence.grammar import EOS, VOCABULARY
from workspan_evidence.reasoner import shared_prefix
from workspan_evidence.reasoner.chain import Chain
from workspan_evidence.reasoner.model import Context, Model
from workspan_evidence.reasoner.sampling import Sampling
from workspan_evidence.reasoner.shared_prefix import SharedPrefix, decode
from workspan_evidence.reasoner.untrained import SHAPE, untrained

SMALL = replace(SHAPE, d=32, layers=2, heads=2, ff=48)
MODEL = Model(SMALL, untrained(SMALL))
PROMPT = list(range(20))
WARM = Sampling()


def drawn(n: int, sampling: Sampling = WARM, limit: int = 40) -> list[Chain]:
    chains = [Chain(seed, limit) for seed in range(n)]
    decode(MODEL, [SharedPrefix(MODEL, MODEL.read(PROMPT), sampling, chains, tells=True)], limit)
    return chains


@pytest.mark.parametrize("temperature", [0.3, 1.0])
def test_a_chain_is_the_same_alone_and_among_others(temperature: float) -> None:
    sampling = Sampling(temperature)
    for seed, chain in enumerate(drawn(30, sampling)):
        alone = Chain(seed, 40)
        decode(MODEL, [SharedPrefix(MODEL, MODEL.read(PROMPT), sampling, [alone])], 40)
        assert alone.tokens == chain.tokens
        assert alone.finish == chain.finish


def test_logprobs_are_those_of_reading_the_drawn_text() -> None:
    for chain in drawn(12, Sampling(0.5)):
        expected = []
        context: Context = MODEL.read(PROMPT)
        for token in chain.tokens:
            logits = context.logits[0].astype(np.float64)
            expected.append(logits[token] - np.log(np.exp(logits).sum()))
            context = MODEL.read([token], context)
        assert np.abs(np.array(expected) - chain.logprobs).max() < 1e-4


def test_a_chain_ends_with_its_end_mark_or_at_its_limit() -> None:
    chains = drawn(300)
    assert {chain.finish for chain in chains} == {"stop", "length"}
    for chain in chains:
        if chain.finish == "stop":
            assert chain.tokens.index(EOS) == len(chain.tokens) - 1
        else:
            assert len(chain.tokens) == 40
            assert EOS not in chain.tokens


def test_chains_that_agree_are_one_row() -> None:
    chains = [Chain(seed, 10) for seed in range(50)]
    greedy = SharedPrefix(MODEL, MODEL.read(PROMPT), Sampling(temperature=0), chains)
    decode(MODEL, [greedy], 5)
    assert len(greedy.pending) == 1
    assert all(chain.tokens == chains[0].tokens for chain in chains)


def test_the_likeliest_token_is_taken_at_temperature_0() -> None:
    (chain,) = drawn(1, Sampling(temperature=0), limit=8)
    context = MODEL.read(PROMPT)
    for token in chain.tokens:
        assert token == context.logits[0].argmax()
        context = MODEL.read([token], context)


def test_a_shared_prefix_that_parts_goes_on_as_if_it_had_not() -> None:
    whole = drawn(24)
    chains = [Chain(seed, 40) for seed in range(24)]
    first = SharedPrefix(MODEL, MODEL.read(PROMPT), Sampling(), chains)
    decode(MODEL, [first], 5)
    second = first.part({chain for chain in first.chains if chain.seed % 3 == 0})
    decode(MODEL, [first], 7)
    decode(MODEL, [second], 40)
    decode(MODEL, [first], 40)
    assert [chain.tokens for chain in chains] == [chain.tokens for chain in whole]


@pytest.mark.parametrize("temperature", [0.1, 0.2])
def test_chains_that_share_a_row_when_their_prefix_parts_may_branch_later(
    temperature: float,
) -> None:
    sampling, limit = Sampling(temperature), 2 * shared_prefix._ROOM + 8
    whole = drawn(40, sampling, limit)
    chains = [Chain(seed, limit) for seed in range(40)]
    prefixes = [SharedPrefix(MODEL, MODEL.read(PROMPT), sampling, chains)]
    for turn in range(limit):
        decode(MODEL, prefixes, 1)
        late = {chain for chain in prefixes[0].chains if chain.seed % 11 == turn}
        if late and len(late) < len(prefixes[0].chains):
            prefixes.append(prefixes[0].part(late))
        gone = {chain for chain in prefixes[0].chains if chain.seed % 13 == turn % 40}
        prefixes[0].leave(gone)
        for chain in gone:
            chain.finish = "length"
    pairs = list(zip(chains, whole, strict=True))
    assert all(a.tokens == b.tokens[: len(a.tokens)] for a, b in pairs)
    assert sum(a.tokens == b.tokens for a, b in pairs) > 20


def test_prefixes_of_several_prompts_run_in_one_batch() -> None:
    prompts = [PROMPT[:7], PROMPT, list(range(50, 70))]
    together = [[Chain(seed, 30) for seed in range(6)] for _ in prompts]
    prefixes = [
        SharedPrefix(MODEL, MODEL.read(prompt), Sampling(), chains)
        for prompt, chains in zip(prompts, together, strict=True)
    ]
    decode(MODEL, prefixes[:1], 4)  # the others join later
    decode(MODEL, prefixes, 30)
    for prompt, chains in zip(prompts, together, strict=True):
        for chain in chains:
            alone = Chain(chain.seed, 30)
            decode(MODEL, [SharedPrefix(MODEL, MODEL.read(prompt), Sampling(), [alone])], 30)
            assert alone.tokens == chain.tokens


def test_a_long_chain_outgrows_its_first_room() -> None:
    chains = drawn(100, limit=2 * shared_prefix._ROOM + 3)
    long = next(chain for chain in chains if chain.finish == "length")
    expected, context = [], MODEL.read(PROMPT)
    for token in long.tokens:
        expected.append(context.logits[0, token] - np.log(np.exp(context.logits[0]).sum()))
        context = MODEL.read([token], context)
    assert np.abs(np.array(expected) - long.logprobs).max() < 1e-4


def test_stop_strings_end_a_chain_at_the_token_that_completes_them() -> None:
    free = next(chain for chain in drawn(20) if len(chain.tokens) > 10)
    words = [VOCABULARY[token] for token in free.tokens]
    chain = Chain(free.seed, 40, stop=(f"{words[4]} {words[5]}",))
    decode(MODEL, [SharedPrefix(MODEL, MODEL.read(PROMPT), Sampling(), [chain])], 40)
    assert chain.finish == "stop"
    assert chain.tokens == free.tokens[:6]
    assert chain.take()[0] == " ".join(words[:4]) + " "
