"""Which runtime serves a model best on this machine."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Literal

from workspan.engines.embedded.gguf import Header
from workspan.engines.embedded.requantise import EXACT, REWRITABLE
from workspan.errors import EngineRejected, MissingDependency

RuntimeName = Literal["openvino", "llama"]

_PACKAGES: dict[RuntimeName, str] = {"openvino": "openvino_genai", "llama": "xllamacpp"}

_OPENVINO_ARCHITECTURES = frozenset({"llama", "qwen2", "qwen3"})
"""What OpenVINO GenAI 2026.4 reads from GGUF."""

_SMALL = 1 << 30
"""Bytes of a file up to which OpenVINO is chosen although its weights must be rewritten, to about
twice their size at 4 bits: a larger one is slower to read for each token than it gains."""


def choose(runtime: Literal["auto", "openvino", "llama"], header: Header | None) -> RuntimeName:
    """Return the runtime to use; `header` is None for an OpenVINO model folder.

    On its own, OpenVINO where it reads the model and the processor has AVX-512, for whose batched
    matrix products it was 1.4 to 2.7 times as fast as llama.cpp from 8 chains on (see
    ``benchmarks/README.md``); llama.cpp everywhere else.

    Raises:
        MissingDependency: the runtime is not installed.
        EngineRejected: the runtime can't read the model.
    """
    if runtime == "auto":
        return _fastest(header)
    if runtime == "llama" and header is None:
        raise EngineRejected("llama.cpp reads GGUF files, not OpenVINO model folders")
    if runtime == "openvino" and (fault := _fault(header)):
        raise EngineRejected(f"OpenVINO can't read this model: {fault}; use runtime='llama'")
    if not _is_installed(runtime):
        raise MissingDependency(f"the embedded engine on {runtime}", "embedded")
    return runtime


def _fastest(header: Header | None) -> RuntimeName:
    readers: list[RuntimeName] = [] if header is None else ["llama"]
    if not _fault(header):
        is_first = header is None or (_has_avx512() and _is_light(header))
        readers.insert(0 if is_first else 1, "openvino")
    for name in readers:
        if _is_installed(name):
            return name
    raise MissingDependency("the embedded engine", "embedded")


def _fault(header: Header | None) -> str:
    """Say why OpenVINO can't read the model; empty if it can."""
    if header is None:
        return ""
    if header.architecture not in _OPENVINO_ARCHITECTURES:
        return f"architecture {header.architecture}"
    if header.tokenizer == "t5":
        return "a unigram vocabulary"
    refused = sorted(header.tensor_types - EXACT - REWRITABLE)
    return f"tensors of type {', '.join(refused)}" if refused else ""


def _is_light(header: Header) -> bool:
    return header.tensor_types <= EXACT or header.size <= _SMALL


def _is_installed(runtime: RuntimeName) -> bool:
    return importlib.util.find_spec(_PACKAGES[runtime]) is not None


def _has_avx512() -> bool:
    """Say whether the processor has AVX-512; only Linux is asked."""
    try:
        return "avx512f" in Path("/proc/cpuinfo").read_text()
    except OSError:
        return False
