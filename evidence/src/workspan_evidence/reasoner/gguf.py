"""A reasoner's weights as GGUF, so that llama.cpp runs it as it runs any language model.

The vocabulary is of SentencePiece's unigram kind, whose search tiles a text with whole symbols; the
chat template gives the user's message as it is. What llama.cpp lacks is `min_p` by default: ask for
it with every completion.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workspan.errors import MissingDependency
from workspan_evidence.grammar import BOS, EOS, PAD, VOCABULARY
from workspan_evidence.reasoner.model import Shape, interleaved, read_weights

_TEMPLATE = "{{ messages[0]['content'] }}"
_MATRICES = {
    "wv": "attn_v",
    "wo": "attn_output",
    "w1": "ffn_gate",
    "w2": "ffn_down",
    "w3": "ffn_up",
    "norm1": "attn_norm",
    "norm2": "ffn_norm",
}


def export(weights: Path, to: Path) -> None:
    """Write the GGUF file of a weights file, in float32.

    Raises:
        DataError: `weights` are no reasoner's.
        MissingDependency: the library `gguf` is not installed.
    """
    shape, tensors = read_weights(weights)
    write(shape, tensors, to, name=f"reasoner {weights.stem}")


def write(shape: Shape, tensors: dict[str, NDArray[Any]], to: Path, *, name: str) -> None:
    """Write tensors as they are named in a weights file; see `export`."""
    try:
        from gguf import GGUFWriter
    except ImportError:
        raise MissingDependency("a GGUF file of the reasoner", "embedded") from None
    writer = GGUFWriter(to, "llama")
    writer.add_name(name)
    _describe(writer, shape)
    _spell(writer)
    for key, values in _renamed(shape, tensors):
        writer.add_tensor(key, np.ascontiguousarray(values, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _describe(writer: Any, shape: Shape) -> None:
    writer.add_vocab_size(shape.vocabulary)
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.d)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.ff)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.heads)
    writer.add_rope_dimension_count(shape.size)
    writer.add_rope_freq_base(shape.rope_base)
    writer.add_layer_norm_rms_eps(shape.epsilon)
    writer.add_file_type(0)  # all float32


def _spell(writer: Any) -> None:
    """Say how text becomes tokens: a symbol is a word, all equally likely."""
    from gguf import TokenType

    types = [TokenType.NORMAL] * len(VOCABULARY)
    types[PAD], types[EOS] = TokenType.UNKNOWN, TokenType.CONTROL
    writer.add_tokenizer_model("t5")
    writer.add_token_list(
        [word if i in (PAD, EOS) else f"▁{word}" for i, word in enumerate(VOCABULARY)]
    )
    writer.add_token_scores([0.0] * len(VOCABULARY))
    writer.add_token_types(types)
    writer.add_bos_token_id(BOS)
    writer.add_eos_token_id(EOS)
    writer.add_unk_token_id(PAD)
    writer.add_pad_token_id(PAD)
    writer.add_add_bos_token(False)
    writer.add_add_eos_token(False)
    writer.add_add_space_prefix(True)
    writer.add_remove_extra_whitespaces(True)
    writer.add_chat_template(_TEMPLATE)


def _renamed(shape: Shape, tensors: dict[str, NDArray[Any]]) -> Iterator[tuple[str, NDArray[Any]]]:
    """Yield tensors by llama.cpp's names, with the rows of queries and keys in its order."""
    yield "token_embd.weight", tensors["embed.weight"]
    yield "output_norm.weight", tensors["norm.weight"]
    yield "output.weight", tensors["head.weight"]
    for i in range(shape.layers):
        for key in ("wq", "wk"):
            rows = interleaved(tensors[f"layers.{i}.{key}.weight"], shape.heads)
            yield f"blk.{i}.attn_{key[1]}.weight", rows
        for key, theirs in _MATRICES.items():
            yield f"blk.{i}.{theirs}.weight", tensors[f"layers.{i}.{key}.weight"]
