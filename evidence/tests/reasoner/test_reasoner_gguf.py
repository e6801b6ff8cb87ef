"""llama.cpp runs a reasoner's weights with the same probabilities and the same chains."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path
from random import Random
from typing import Any

import anyio
import numpy as np
import pytest

from workspan.data.types import Message, Request
from workspan.engines.embedded import Embedded
from workspan.testing.engine_suite import draw
from workspan_evidence.families.base import Family
from workspan_evidence.families.connectivity import Deep
from workspan_evidence.families.connectivity import Path as Line
from workspan_evidence.families.formats import Exits
from workspan_evidence.families.heavy import Heavy
from workspan_evidence.families.lookups import Lookup
from workspan_evidence.families.planning import Timetable
from workspan_evidence.families.serial import Compose, Rule110
from workspan_evidence.grammar import VOCABULARY
from workspan_evidence.reasoner import catalogue
from workspan_evidence.reasoner.chain import Chain
from workspan_evidence.reasoner.engine import Reasoner
from workspan_evidence.reasoner.gguf import write
from workspan_evidence.reasoner.model import Model, Shape, read_weights
from workspan_evidence.reasoner.sampling import Sampling, logprobs
from workspan_evidence.reasoner.shared_prefix import SharedPrefix, decode
from workspan_evidence.reasoner.untrained import SHAPE, untrained

Prompt = tuple[str, tuple[int, ...]]
NAMES = ["untrained", *catalogue.names()]
TOKENS = 24
GRAPHS: list[Family[Any]] = [Line(4), Deep(2), Deep(6), Heavy(1, 3)]
KNOWN: dict[str, list[Family[Any]]] = {
    "serial": [Rule110(2), Rule110(6), Compose(2), Compose(6)],
    "serial-direct": [Rule110(t, format="direct") for t in (1, 2, 4)] + [Compose(2, "direct")],
    "lookups": [Lookup(1), Lookup(3), Lookup(2, 2, 1), Lookup(2, 2, 2)],
    "planning": [Timetable(5, 6), Timetable(8, 14, role="revise")],
    "formats-choice": [Exits(d, asked) for d in (2, 4) for asked in ("choice", "useless")],
    "formats-free": [Exits(d, asked) for d in (2, 4) for asked in ("free", "useless")],
}
"""What weights were trained on, where it is not graphs: far from it, rounding is blown up."""


class Server:
    """llama.cpp's server in this process, on one weights file."""

    def __init__(self, path: Path) -> None:
        xllamacpp = pytest.importorskip("xllamacpp")
        parameters = xllamacpp.CommonParams()
        parameters.model.path = str(path)
        parameters.n_parallel, parameters.n_ctx, parameters.port = 1, 1024, 0
        parameters.cpuparams.n_threads = 1
        parameters.cache_type_k = parameters.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
        parameters.flash_attn_type = (
            xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED  # it rounds to float16
        )
        parameters.verbosity = 0
        self.server = xllamacpp.Server(parameters)

    def ask(self, path: str, **body: Any) -> Any:
        data = json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self.server.listening_address + path, data, headers)
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)


@pytest.fixture(scope="module", params=NAMES)
def both(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Model, Server, list[Prompt]]:
    name = request.param
    shape: Shape
    shape, tensors = (
        (SHAPE, untrained()) if name == "untrained" else read_weights(catalogue.find(name))
    )
    path = tmp_path_factory.mktemp("gguf") / f"{name}.gguf"
    write(shape, tensors, path, name=name)
    return Model(shape, tensors), Server(path), prompts(KNOWN.get(name, GRAPHS))


def prompts(families: list[Family[Any]]) -> list[Prompt]:
    drawn = [family.problem(Random(seed)) for family in families for seed in range(8)]
    return [(instance.text, instance.prompt) for instance in drawn]


def test_a_text_is_read_as_its_symbols(both: tuple[Model, Server, list[Prompt]]) -> None:
    _, server, prompts = both
    everything = " ".join(word for word in VOCABULARY if word not in ("<pad>", "</s>"))
    for text, ids in [*prompts[::8], (everything, tuple(_known(everything)))]:
        message = {"role": "user", "content": text}
        assert server.ask("/apply-template", messages=[message])["prompt"] == text
        read = server.ask("/tokenize", content=text, add_special=False, parse_special=True)
        assert tuple(read["tokens"]) == ids


def test_probabilities_are_the_same(both: tuple[Model, Server, list[Prompt]]) -> None:
    model, server, prompts = both
    for text, ids in prompts[::4]:
        told = server.ask(
            "/completion", prompt=text, n_predict=1, n_probs=len(VOCABULARY), temperature=0
        )
        (first,) = told["completion_probabilities"]
        theirs = {entry["id"]: entry["logprob"] for entry in first["top_logprobs"]}
        ours = logprobs(model.read(ids).logits)[0]
        likely = [token for token in theirs if ours[token] > np.log(1e-6)]
        assert likely
        assert max(abs(ours[token] - theirs[token]) for token in likely) < 1e-4


def test_the_likeliest_chain_is_the_same(both: tuple[Model, Server, list[Prompt]]) -> None:
    model, server, prompts = both
    for text, ids in prompts:
        chain = Chain(0, TOKENS)
        decode(
            model, [SharedPrefix(model, model.read(ids), Sampling(temperature=0), [chain])], TOKENS
        )
        told = server.ask(
            "/completion", prompt=text, n_predict=TOKENS, temperature=0, return_tokens=True
        )
        theirs = told["tokens"]
        assert chain.tokens[: len(theirs)] == theirs
        assert len(chain.tokens) - len(theirs) <= 1  # it does not report the end mark
        assert told["content"].split() == chain.take()[0].split()


def test_the_embedded_engine_takes_it_as_any_model(tmp_path: Path) -> None:
    pytest.importorskip("xllamacpp")
    path = tmp_path / "reasoner.gguf"
    write(SHAPE, untrained(), path, name="untrained")
    [(text, ids), *_] = prompts(GRAPHS)
    request = Request((Message("user", text),), max_tokens=8, temperature=0.0)

    async def main() -> str:
        engine = Embedded(str(path))
        try:
            assert await engine.count(request) == len(ids)
            return (await draw(engine, request))[0]
        finally:
            await engine.aclose()

    expected, _, _ = anyio.run(draw, Reasoner(Model(SHAPE, untrained()), "untrained"), request)
    assert anyio.run(main).split() == expected.split()


def _known(text: str) -> list[int]:
    return [VOCABULARY.index(word) for word in text.split()]
