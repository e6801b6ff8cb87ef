"""What ``benchmarks.reasoner`` compares, each in a process that takes loads as JSON lines.

``python -m benchmarks.reasoner_direct SYSTEM WEIGHTS`` prints a line when it is ready, then one
for each load. All draw at temperature 1 with the same `min_p`, each chain up to its end mark.
"""

from __future__ import annotations

import json
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import anyio
import msgspec

from workspan.core.engine import Bill
from workspan.data.types import Message, Request
from workspan.testing.engine_suite import draw
from workspan_evidence.grammar import decode as text_of
from workspan_evidence.reasoner.chain import Chain
from workspan_evidence.reasoner.engine import Reasoner
from workspan_evidence.reasoner.gguf import write
from workspan_evidence.reasoner.model import Model, read_weights
from workspan_evidence.reasoner.sampling import Sampling
from workspan_evidence.reasoner.shared_prefix import SharedPrefix, decode
from workspan_evidence.reasoner.untrained import SHAPE, untrained

MIN_P = 0.05
SAMPLING = Sampling(min_p=MIN_P)
SLOTS = 32
"""Of llama.cpp's server."""


class Load(msgspec.Struct, frozen=True):
    """`n` chains of each prompt, one prompt after the other."""

    prompts: list[tuple[int, ...]]
    n: int
    limit: int


class Result(msgspec.Struct, frozen=True):
    """What a load came to."""

    tokens: int
    cpu_seconds: float
    """Of the whole process."""
    seconds: float


Run: TypeAlias = Callable[[Load], int]
"""A load to tokens drawn."""


def workspan(model: Model, tensors: dict[str, Any]) -> Run:
    """Ask the engine as a session does: streams side by side, one event loop for all prompts."""
    del tensors
    engine = Reasoner(model, "benchmark", min_p=MIN_P)

    async def main(load: Load) -> int:
        tokens = 0
        for ids in load.prompts:
            bills = [Bill() for _ in range(load.n)]
            prompt = (Message("user", text_of(ids)),)
            async with anyio.create_task_group() as group:
                for seed, bill in enumerate(bills):
                    request = Request(prompt, max_tokens=load.limit, temperature=1.0, seed=seed)
                    group.start_soon(draw, engine, request, bill)
            tokens += sum(bill.usage.output_tokens for bill in bills)
        return tokens

    return lambda load: anyio.run(main, load)


def decoder(model: Model, tensors: dict[str, Any]) -> Run:
    """Run the engine's decoder without the engine."""
    del tensors

    def run(ids: tuple[int, ...], n: int, limit: int) -> int:
        chains = [Chain(seed, limit) for seed in range(n)]
        decode(model, [SharedPrefix(model, model.read(ids), SAMPLING, chains)], limit)
        return sum(len(chain.tokens) for chain in chains)

    return _each(run)


def onnx(model: Model, tensors: dict[str, Any]) -> Run:
    """Run the model's step in onnxruntime; our own code reads the prompt and samples."""
    del tensors
    from benchmarks.reasoner_onnx import OnnxReasoner

    system = OnnxReasoner(model)

    def run(ids: tuple[int, ...], n: int, limit: int) -> int:
        return system.draw(ids, [Chain(seed, limit) for seed in range(n)], SAMPLING)

    return _each(run)


def llama(model: Model, tensors: dict[str, Any]) -> Run:
    """Ask llama.cpp's server in this process, without HTTP, for n completions of a prompt."""
    import xllamacpp

    folder = tempfile.TemporaryDirectory()
    path = Path(folder.name) / "reasoner.gguf"
    write(model.shape, tensors, path, name="benchmark")
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(path)
    parameters.n_parallel, parameters.n_ctx = SLOTS, 512 * SLOTS
    parameters.kv_unified = False
    parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = 1
    parameters.verbosity, parameters.warmup, parameters.ui = 0, False, False
    server = xllamacpp.Server(parameters)
    folder.cleanup()

    def ask(ids: tuple[int, ...], n: int, limit: int, first: int, counts: list[int]) -> None:
        def hear(told: Any) -> None:
            for one in told["choices"]:  # its own count is that of the first alone
                is_ended = one["finish_reason"] == "stop"
                counts.append(len(one["text"].split()) + is_ended)

        body = {
            "prompt": list(ids),
            "n_predict": limit,
            "n": n,
            "seed": first,
            "temperature": 1.0,
            "min_p": MIN_P,
            "samplers": ["temperature", "min_p"],
        }
        server.handle_completions(body, hear)

    def run(ids: tuple[int, ...], n: int, limit: int) -> int:
        counts: list[int] = []
        parts = [(first, min(SLOTS, n - first)) for first in range(0, n, SLOTS)]
        threads = [
            threading.Thread(target=ask, args=(ids, size, limit, first, counts))
            for first, size in parts
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if len(counts) != n:
            raise RuntimeError(f"llama.cpp gave {len(counts)} of {n} chains")
        return sum(counts)

    return _each(run)


def _each(run: Callable[[tuple[int, ...], int, int], int]) -> Run:
    """Run a load's prompts one after the other: each with its chains and their limit."""
    return lambda load: sum(run(ids, load.n, load.limit) for ids in load.prompts)


SYSTEMS: dict[str, Callable[[Model, dict[str, Any]], Run]] = {
    "workspan": workspan,
    "workspan's decoder": decoder,
    "onnxruntime": onnx,
    "llama.cpp": llama,
}


def main() -> None:
    """Serve loads until the input ends."""
    name, weights = sys.argv[1:]
    loaded = (SHAPE, untrained()) if weights == "untrained" else read_weights(Path(weights))
    run = SYSTEMS[name](Model(*loaded), loaded[1])
    print("ready", flush=True)
    for line in sys.stdin:
        load = msgspec.json.decode(line, type=Load)
        began, cpu = time.perf_counter(), time.process_time()
        tokens = run(load)
        cpu, seconds = time.process_time() - cpu, time.perf_counter() - began
        print(json.dumps({"tokens": tokens, "cpu_seconds": cpu, "seconds": seconds}), flush=True)


if __name__ == "__main__":
    main()
