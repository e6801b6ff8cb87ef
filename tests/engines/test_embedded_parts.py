"""The parts of the embedded engine that need no model."""

from __future__ import annotations

import itertools
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workspan.engines.embedded import protocol
from workspan.engines.embedded.choice import choose
from workspan.engines.embedded.gguf import Header, read_header, read_vocabulary
from workspan.engines.embedded.requantise import exact
from workspan.engines.embedded.text import TextStream, byte_level, sentence_piece
from workspan.errors import EngineRejected


def shown(pieces: list[bytes], stop: tuple[str, ...] = ()) -> str:
    """Feed the pieces and return all text that comes out."""
    stream = TextStream(stop)
    text = ""
    for piece in pieces:
        text += stream.feed(piece)
        if stream.is_stopped:
            break
    return text + stream.finish()


def cut(data: bytes, places: list[int]) -> list[bytes]:
    ends = sorted({place % (len(data) + 1) for place in places} | {0, len(data)})
    return [data[a:b] for a, b in itertools.pairwise(ends)]


@given(st.text(), st.lists(st.integers(min_value=0), max_size=8))
def test_text_does_not_depend_on_where_tokens_cut_its_bytes(text: str, places: list[int]) -> None:
    assert shown(cut(text.encode(), places)) == text


@given(
    st.text(alphabet="abé"),
    st.lists(st.integers(min_value=0), max_size=8),
    st.lists(st.text(alphabet="abé", min_size=1, max_size=3), min_size=1, max_size=3),
)
def test_text_ends_before_the_first_stop_string(
    text: str, places: list[int], stop: list[str]
) -> None:
    """Byte by byte, the stop string that is complete first ends the text, at its beginning."""
    prefixes = [text[:end] for end in range(len(text) + 1)]
    whole = [prefix for prefix in prefixes if any(word in prefix for word in stop)]
    ends = [whole[0].find(word) for word in stop if word in whole[0]] if whole else [len(text)]
    expected = text[: min(ends)]
    assert shown([bytes([byte]) for byte in text.encode()], tuple(stop)) == expected
    assert not any(word in shown(cut(text.encode(), places), tuple(stop)) for word in stop)


def test_half_a_character_is_held_back_until_it_is_whole() -> None:
    stream = TextStream()
    smile = "😀".encode()
    assert stream.feed(b"a" + smile[:2]) == "a"
    assert stream.feed(smile[2:]) == "😀"


def test_bytes_that_never_become_a_character_are_shown_as_a_replacement() -> None:
    assert shown([b"a", b"\xf0\x9f"]) == "a\N{REPLACEMENT CHARACTER}"


def test_vocabularies_give_their_bytes_back() -> None:
    assert byte_level("Ġnaïve".replace("ï", "Ã¯")) == " naïve".encode()
    assert byte_level("Ċ") == b"\n"
    assert sentence_piece("▁the") == b" the"
    assert sentence_piece("<0x0A>") == b"\n"


@given(st.binary(min_size=1, max_size=200), st.lists(st.integers(min_value=0), max_size=8))
def test_frames_survive_any_cut(data: bytes, places: list[int]) -> None:
    sent: list[protocol.Event] = [
        protocol.Started(1, 7),
        protocol.Step([protocol.Piece(1, 2, data.hex(), [-0.5], 0, None)]),
        protocol.Failed(2, "context", "too long"),
    ]
    buffer, got = bytearray(), []
    for part in cut(b"".join(map(protocol.pack, sent)), places):
        buffer += part
        got += list(protocol.unpack(buffer, protocol.events))
    assert got == sent
    assert not buffer


def gguf(path: Path, tensor_type: int) -> Path:
    """Write the head of a small model's file."""

    def text(value: str) -> bytes:
        return struct.pack("<Q", len(value.encode())) + value.encode()

    def texts(values: list[str]) -> bytes:
        return struct.pack("<IIQ", 9, 8, len(values)) + b"".join(map(text, values))

    pairs = [
        text("general.architecture") + struct.pack("<I", 8) + text("llama"),
        text("llama.context_length") + struct.pack("<II", 4, 2048),
        text("tokenizer.ggml.model") + struct.pack("<I", 8) + text("gpt2"),
        text("tokenizer.ggml.tokens") + texts(["Ġa", "<end>"]),
        text("tokenizer.ggml.token_type") + struct.pack("<IIQ2i", 9, 5, 2, 1, 3),
    ]
    tensor = text("output") + struct.pack("<IQQIQ", 2, 8, 8, tensor_type, 0)
    path.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, 1, len(pairs)) + b"".join(pairs) + tensor)
    return path


def test_the_head_of_a_gguf_file_says_what_the_model_is(tmp_path: Path) -> None:
    path = gguf(tmp_path / "m.gguf", tensor_type=6)
    size = path.stat().st_size
    assert read_header(path) == Header("llama", 2048, frozenset({"Q5_0"}), size, "gpt2")
    assert read_vocabulary(path) == [b" a", b""]


@pytest.mark.parametrize("content", [b"", b"GGUF", b"GGUF\x09\0\0\0", b"<html>not a model</html>"])
def test_a_file_that_is_no_model_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(content)
    with pytest.raises(EngineRejected, match=r"m\.gguf"):
        read_header(path)


def test_a_model_that_openvino_refuses_goes_to_llama() -> None:
    pytest.importorskip("xllamacpp")
    unknown = Header("llama", 2048, frozenset({"F32", "IQ4_XS"}), 1000)
    assert choose("auto", unknown) == "llama"
    assert choose("auto", Header("gemma3", 2048, frozenset({"F32", "Q4_0"}), 1000)) == "llama"
    unigram = Header("llama", 2048, frozenset({"F32"}), 1000, "t5")
    assert choose("auto", unigram) == "llama"
    large = Header("llama", 2048, frozenset({"F32", "Q4_1"}), 5 << 30)
    assert choose("auto", large) == "llama"
    with pytest.raises(EngineRejected, match="IQ4_XS"):
        choose("openvino", unknown)


def test_weights_that_openvino_would_round_are_rewritten_once_and_nearly_exactly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = pytest.importorskip("gguf")
    quants = pytest.importorskip("gguf.quants")
    monkeypatch.setenv("WORKSPAN_HOME", str(tmp_path / "home"))
    kinds = package.GGMLQuantizationType
    weights = np.random.default_rng(0).normal(3.0, 1.0, (64, 128)).astype(np.float32)
    writer = package.GGUFWriter(tmp_path / "m.gguf", "llama")
    writer.add_context_length(2048)
    writer.add_array("names", ["a", "b"])
    data = quants.quantize(weights, kinds.Q4_1)
    writer.add_tensor("output", data, raw_dtype=kinds.Q4_1)
    writer.add_tensor("norm", weights[0])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    source = tmp_path / "m.gguf"

    rewritten = exact(source, read_header(source).tensor_types)
    assert read_header(rewritten).tensor_types == {"F32", "Q8_0"}
    assert read_header(rewritten).context == 2048
    reader = package.GGUFReader(rewritten)
    assert reader.get_field("names").contents() == ["a", "b"]
    meant = quants.dequantize(data, kinds.Q4_1)
    kept = quants.dequantize(reader.tensors[0].data, kinds.Q8_0)
    assert np.abs(kept - meant).max() <= 0.51 * np.abs(meant).max() / 127
    assert exact(source, read_header(source).tensor_types) == rewritten
    assert exact(rewritten, read_header(rewritten).tensor_types) == rewritten


def test_a_folder_goes_to_openvino_only() -> None:
    pytest.importorskip("openvino_genai")
    assert choose("auto", None) == "openvino"
    with pytest.raises(EngineRejected, match="GGUF"):
        choose("llama", None)
