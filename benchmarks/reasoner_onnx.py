"""The reasoner's step as an ONNX graph, with the prompt shared by all rows as in NumPy.

Needs ``onnx`` and ``onnxruntime``, for this benchmark only.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import repeat
from typing import Any

import numpy as np
import onnx  # type: ignore[import-not-found,unused-ignore]
import onnx.numpy_helper  # type: ignore[import-not-found,unused-ignore]
import onnx.parser  # type: ignore[import-not-found,unused-ignore]
import onnxruntime  # type: ignore[import-untyped,import-not-found,unused-ignore]

from workspan_evidence.reasoner.chain import Chain
from workspan_evidence.reasoner.model import Context, Model, Shape
from workspan_evidence.reasoner.sampling import Sampling, uniforms

_COMPACT = 8
"""Steps after which rows that ended are left out."""

_LAYER = """
  a{i} = RMSNormalization <epsilon: float = {eps}> (x{i}, scale)
  qkv{i} = MatMul (a{i}, wqkv{i})
  q0{i}, k0{i}, v0{i} = Split <axis: int = 1, num_outputs: int = 3> (qkv{i})
  q1{i} = Reshape (q0{i}, heads)
  k1{i} = Reshape (k0{i}, heads)
  v{i} = Reshape (v0{i}, heads)
  qa{i}, qb{i} = Split <axis: int = 3, num_outputs: int = 2> (q1{i})
  ka{i}, kb{i} = Split <axis: int = 3, num_outputs: int = 2> (k1{i})
  qac{i} = Mul (qa{i}, cos)
  qbs{i} = Mul (qb{i}, sin)
  qbc{i} = Mul (qb{i}, cos)
  qas{i} = Mul (qa{i}, sin)
  q2{i} = Sub (qac{i}, qbs{i})
  q3{i} = Add (qbc{i}, qas{i})
  q{i} = Concat <axis: int = 3> (q2{i}, q3{i})
  kac{i} = Mul (ka{i}, cos)
  kbs{i} = Mul (kb{i}, sin)
  kbc{i} = Mul (kb{i}, cos)
  kas{i} = Mul (ka{i}, sin)
  k2{i} = Sub (kac{i}, kbs{i})
  k3{i} = Add (kbc{i}, kas{i})
  k{i} = Concat <axis: int = 3> (k2{i}, k3{i})
  keys_out{i} = Concat <axis: int = 2> (keys{i}, k{i})
  values_out{i} = Concat <axis: int = 2> (values{i}, v{i})
  turned{i} = Transpose <perm: ints = [0, 1, 3, 2]> (keys_out{i})
  own{i} = MatMul (q{i}, turned{i})
  byhead{i} = Transpose <perm: ints = [2, 1, 0, 3]> (q{i})
  shared0{i} = MatMul (byhead{i}, pkeys{i})
  shared{i} = Transpose <perm: ints = [2, 1, 0, 3]> (shared0{i})
  scores{i} = Concat <axis: int = 3> (shared{i}, own{i})
  heard{i} = Softmax <axis: int = 3> (scores{i})
  hp{i}, ho{i} = Split <axis: int = 3> (heard{i}, sizes)
  hpt{i} = Transpose <perm: ints = [2, 1, 0, 3]> (hp{i})
  fromp0{i} = MatMul (hpt{i}, pvalues{i})
  fromp{i} = Transpose <perm: ints = [2, 1, 0, 3]> (fromp0{i})
  fromo{i} = MatMul (ho{i}, values_out{i})
  both{i} = Add (fromp{i}, fromo{i})
  flat{i} = Reshape (both{i}, rows)
  out{i} = MatMul (flat{i}, wout{i})
  y{i} = Add (x{i}, out{i})
  b{i} = RMSNormalization <epsilon: float = {eps}> (y{i}, scale)
  gu{i} = MatMul (b{i}, wgu{i})
  g{i}, u{i} = Split <axis: int = 1, num_outputs: int = 2> (gu{i})
  sg{i} = Sigmoid (g{i})
  sw{i} = Mul (g{i}, sg{i})
  gated{i} = Mul (sw{i}, u{i})
  down{i} = MatMul (gated{i}, wdown{i})
  x{j} = Add (y{i}, down{i})
"""


class OnnxReasoner:
    """Draws chains of one prompt in lockstep; onnxruntime with one thread runs the model."""

    def __init__(self, model: Model) -> None:
        self.model = model
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        graph = _graph(model)
        self._session = onnxruntime.InferenceSession(
            graph.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        half = np.arange(0, model.shape.size, 2) / model.shape.size
        self._frequencies = model.shape.rope_base**-half
        layers = range(model.shape.layers)
        self._outputs = ["logits", *(f"{k}_out{i}" for k in ("keys", "values") for i in layers)]

    def draw(self, ids: tuple[int, ...], chains: list[Chain], sampling: Sampling) -> int:
        """Run the chains to their ends; NumPy reads the prompt. Return the tokens drawn."""
        context = self.model.read(ids)
        fixed, own = _fixed(context), self._none(len(chains))
        logits, rows, going = context.logits, np.zeros(len(chains), np.int64), list(chains)
        for step in range(max(chain.limit for chain in chains)):
            seeds = np.array([chain.seed for chain in going], np.uint64)
            tokens = sampling.draw(logits, rows, uniforms(seeds, step, step + 1)[0])
            for chain, token in zip(going, tokens.tolist(), strict=True):
                if chain.finish is None:
                    chain.add(token)
            is_on = np.array([chain.finish is None for chain in going])
            if not is_on.any():
                break
            if step % _COMPACT == 0 and not is_on.all():
                going = [chain for chain in going if chain.finish is None]
                tokens, own = tokens[is_on], {k: v[is_on] for k, v in own.items()}
            logits, own = self._step(tokens, len(ids) + step, fixed, own)
            rows = np.arange(len(going))
        return sum(len(chain.tokens) for chain in chains)

    def _none(self, n: int) -> dict[str, Any]:
        shape = self.model.shape
        empty = np.empty((n, shape.heads, 0, shape.size), np.float32)
        return {f"{kind}{i}": empty for kind in ("keys", "values") for i in range(shape.layers)}

    def _step(
        self, tokens: Any, position: int, fixed: dict[str, Any], own: dict[str, Any]
    ) -> tuple[Any, dict[str, Any]]:
        angles = (position * self._frequencies).astype(np.float32).reshape(1, 1, 1, -1)
        drawn = own["keys0"].shape[2] + 1
        sizes = np.array([fixed["pkeys0"].shape[3], drawn], np.int64)
        at = {"cos": np.cos(angles), "sin": np.sin(angles), "sizes": sizes}
        feed = {"tokens": tokens, **at, **fixed, **own}
        logits, *kept = self._session.run(self._outputs, feed)
        return logits, dict(zip(own, kept, strict=True))


def _fixed(context: Context) -> dict[str, Any]:
    """Give the prompt's keys and values as [1, heads, …], which all rows share.

    The model keeps the two numbers that RoPE turns side by side; the graph keeps halves.
    """
    layers, heads, size, tokens = context.keys.shape
    pairs = context.keys.reshape(layers, heads, size // 2, 2, tokens)
    keys = np.ascontiguousarray(pairs.swapaxes(2, 3)).reshape(layers, 1, heads, size, tokens)
    return {
        **{f"pkeys{i}": keys[i] for i in range(layers)},
        **{f"pvalues{i}": context.values[i][None] for i in range(layers)},
    }


def _graph(model: Model) -> Any:
    shape, layers = model.shape, range(model.shape.layers)
    h, size = shape.heads, shape.size
    inputs = [
        "int64[N] tokens, float[1, 1, 1, F] cos, float[1, 1, 1, F] sin, int64[2] sizes",
        *(
            f"float[1, {h}, {size}, T] pkeys{i}, float[1, {h}, T, {size}] pvalues{i}"
            for i in layers
        ),
        *(f"float[N, {h}, S, {size}] {kind}{i}" for kind in ("keys", "values") for i in layers),
    ]
    outputs = ["float[N, V] logits"] + [
        f"float[N, {h}, S1, {size}] {kind}_out{i}" for kind in ("keys", "values") for i in layers
    ]
    body = "".join(_LAYER.format(i=i, j=i + 1, eps=shape.epsilon) for i in layers)
    text = (
        '<ir_version: 10, opset_import: ["" : 23]>\n'
        f"step ({', '.join(inputs)}) => ({', '.join(outputs)}) {{\n"
        f"  x0 = Gather (embedding, tokens)\n{body}\n"
        f"  last = RMSNormalization <epsilon: float = {shape.epsilon}> (x{shape.layers}, scale)\n"
        "  logits = MatMul (last, head)\n}"
    )
    graph = onnx.parser.parse_model(text)
    for name, value in _constants(model):
        graph.graph.initializer.append(onnx.numpy_helper.from_array(value, name))
    return graph


def _constants(model: Model) -> Iterator[tuple[str, Any]]:
    shape = model.shape
    yield "embedding", model.embedding
    yield "head", model.head
    yield "scale", np.full(shape.d, shape.d**-0.5, np.float32)  # the rest is in the weights
    yield "heads", np.array([-1, shape.heads, 1, shape.size], np.int64)
    yield "rows", np.array([-1, shape.d], np.int64)
    for i, block in enumerate(model.blocks):
        yield (
            f"wqkv{i}",
            np.concatenate([*map(_halved, block.qkv[:2], repeat(shape)), block.qkv[2]], 1),
        )
        yield f"wout{i}", block.out
        yield f"wgu{i}", np.concatenate([2 * block.gate_up[0], block.gate_up[1]], 1)
        yield f"wdown{i}", block.down


def _halved(columns: Any, shape: Shape) -> Any:
    """Put the numbers that RoPE turns together into halves, for queries or keys."""
    pairs = columns.reshape(shape.d, shape.heads, shape.size // 2, 2)
    return pairs.swapaxes(2, 3).reshape(shape.d, shape.d)
