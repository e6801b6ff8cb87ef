"""GGUF weights in a form that OpenVINO reads without loss.

OpenVINO stores 4-bit weights as a scale and a whole-numbered zero point. A GGUF block of type Q4_1
has a minimum that is no multiple of its scale, so that reading it so rounds every weight: with
SmolLM2-135M-Instruct 3 of 30 one-digit sums came out right, against 22 on llama.cpp and 20 after
what is done here (greedy, three worked examples). All types but the exact ones are therefore
rewritten as Q8_0 once, by ggml's own Python package, and kept in the user's cache.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path
from typing import Any

from workspan.engines import models

EXACT = frozenset({"F32", "F16", "Q4_0", "Q8_0"})
"""Types that OpenVINO GenAI 2026.4 represents as they are."""

REWRITABLE = frozenset({"BF16", "Q4_1", "Q5_0", "Q5_1", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K"})
"""Types that become Q8_0: half a part in 127 of a block's largest weight is lost at most."""


def exact(path: Path, tensor_types: frozenset[str]) -> Path:
    """Return `path`, or the rewritten file that stands for it; the first time takes seconds."""
    if tensor_types <= EXACT:
        return path
    state = path.stat()
    identity = f"{path.resolve()} {state.st_size} {state.st_mtime_ns}"
    folder = models.home() / "rewritten"
    kept = (
        folder / f"{path.stem}.{hashlib.blake2b(identity.encode(), digest_size=6).hexdigest()}.gguf"
    )
    if not kept.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(dir=folder, suffix=".part")
        os.close(handle)
        try:
            _rewrite(path, Path(draft))
            Path(draft).replace(kept)
        finally:
            Path(draft).unlink(missing_ok=True)
    return kept


def _rewrite(source: Path, target: Path) -> None:
    import gguf
    from gguf.quants import dequantize, quantize

    reader = gguf.GGUFReader(source)
    writer = gguf.GGUFWriter(target, _text(reader, "general.architecture"))
    for field in reader.fields.values():
        if not field.name.startswith("GGUF.") and field.name != "general.architecture":
            is_array = field.types[0] == gguf.GGUFValueType.ARRAY
            writer.add_key_value(
                field.name,
                gguf.LlamaFileType.MOSTLY_Q8_0
                if field.name == "general.file_type"
                else field.contents(),
                field.types[0],
                sub_type=field.types[-1] if is_array else None,
            )
    target_type = gguf.GGMLQuantizationType.Q8_0
    for tensor in reader.tensors:
        data, kind = tensor.data, tensor.tensor_type
        if kind.name not in EXACT:
            data, kind = quantize(dequantize(data, kind), target_type), target_type
        writer.add_tensor(tensor.name, data, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _text(reader: Any, name: str) -> str:
    return str(reader.get_field(name).contents())
