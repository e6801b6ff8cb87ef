"""The runtimes of the embedded engine driven directly: a process that takes loads as JSON lines.

Run by ``benchmarks.engine``: ``python -m benchmarks.engine_direct openvino MODEL`` prints a line
when it is ready (for llama.cpp: the address of its own HTTP server), then one line for each load.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from typing import Any

import msgspec

QUESTION = (
    "Write a very long and detailed story for children about a young fox who lives at the edge of "
    "a forest, is afraid of the river, and wants to see what lies on its other bank. Describe the "
    "fox, its family, the forest in every season, the animals that it meets, what they say to each "
    "other, and how it learns step by step to trust itself. Take your time, and do not end."
)
TEMPERATURE = 0.8


class Chain(msgspec.Struct, frozen=True):
    """One completion to draw."""

    max_tokens: int
    cut: int | None
    """Tokens after which the reader closes it."""
    seed: int


class Load(msgspec.Struct, frozen=True):
    """Chains that are asked for at once."""

    chains: list[Chain]


class Result(msgspec.Struct, frozen=True):
    """What a load came to."""

    tokens: int
    seconds: float


def openvino(path: str, width: int) -> Any:
    """Return a function that runs a load on a pipeline set up as Workspan sets it up."""
    import numpy as np
    import openvino as ov
    import openvino_genai as genai

    scheduler = genai.SchedulerConfig()
    scheduler.enable_prefix_caching = True
    scheduler.max_num_seqs = width
    scheduler.cache_size = 4
    properties = {"DYNAMIC_QUANTIZATION_GROUP_SIZE": "32"}
    if "BF16" in ov.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        properties["INFERENCE_PRECISION_HINT"] = "bf16"
    pipeline = genai.ContinuousBatchingPipeline(path, scheduler, "CPU", properties)
    tokenizer = pipeline.get_tokenizer()
    text = tokenizer.apply_chat_template([{"role": "user", "content": QUESTION}], True)
    ids = tokenizer.encode(text, add_special_tokens=False).input_ids.data[0].tolist()

    def run(load: Load) -> int:
        handles = []
        for place, chain in enumerate(load.chains):
            config = genai.GenerationConfig(
                max_new_tokens=chain.max_tokens,
                do_sample=True,
                temperature=TEMPERATURE,
                rng_seed=chain.seed + 1,
                stop_token_ids={tokenizer.get_eos_token_id()},
            )
            config.apply_chat_template = False
            prompt = ov.Tensor(np.array([ids], dtype=np.int64))
            handles.append(pipeline.add_request(place, prompt, config))
        counts = [0] * len(handles)
        while pipeline.has_non_finished_requests():
            pipeline.step()
            for place, handle in enumerate(handles):
                if handle.can_read():
                    (output,) = handle.read().values()
                    counts[place] += len(output.generated_ids)
                    cut = load.chains[place].cut
                    if cut is not None and counts[place] >= cut:
                        handle.cancel()
        return sum(counts)

    return run


def llama(path: str, width: int) -> Any:
    """Return a function that runs a load by `handle_chat_completions`, and print its address."""
    import xllamacpp

    parameters = xllamacpp.CommonParams()
    parameters.model.path = path
    parameters.n_parallel = width
    parameters.n_ctx = 2048 * width
    threads = len(os.sched_getaffinity(0))
    parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = threads
    parameters.verbosity = 0
    server = xllamacpp.Server(parameters)
    print(server.listening_address, flush=True)

    def draw(chain: Chain, counts: list[int]) -> None:
        seen = 0

        def hear(chunk: dict[str, Any]) -> bool:
            nonlocal seen
            choices = chunk.get("choices") or [{}]
            seen += bool(choices[0].get("delta", {}).get("content"))
            if usage := chunk.get("usage"):
                seen = usage["completion_tokens"]
            return chain.cut is not None and seen >= chain.cut

        server.handle_chat_completions(completion(chain), hear)
        counts.append(seen)

    def run(load: Load) -> int:
        counts: list[int] = []
        threads = [threading.Thread(target=draw, args=(c, counts)) for c in load.chains]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return sum(counts)

    return run


def completion(chain: Chain) -> dict[str, Any]:
    """Return the body that asks llama.cpp for a chain."""
    return {
        "messages": [{"role": "user", "content": QUESTION}],
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": chain.max_tokens,
        "temperature": TEMPERATURE,
        "samplers": ["temperature"],
        "seed": chain.seed,
    }


def main() -> None:
    """Serve loads until the input ends."""
    runtime, path, width = sys.argv[1:]
    run = {"openvino": openvino, "llama": llama}[runtime](path, int(width))
    print("ready", flush=True)
    for line in sys.stdin:
        load = msgspec.json.decode(line, type=Load)
        began = time.perf_counter()
        tokens = run(load)
        print(json.dumps({"tokens": tokens, "seconds": time.perf_counter() - began}), flush=True)


if __name__ == "__main__":
    main()
