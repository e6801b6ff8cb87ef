"""The weights file: safetensors in float16, with what made it in its metadata."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors.torch import save_file

from workspan_evidence import grammar
from workspan_evidence.train.loop import Run
from workspan_evidence.train.network import EPSILON, ROPE_BASE

CONTEXT = 1024
MIN_P = 0.05


def save_weights(run: Run, path: Path) -> None:
    """Write a run's network for `model.Model.load`, its recipe beside it in the metadata."""
    recipe = run.recipe
    config = {
        "vocabulary": len(grammar.VOCABULARY),
        **{name: getattr(recipe, name) for name in ("d", "layers", "heads", "ff")},
        "context": CONTEXT,
        "min_p": MIN_P,
        "rope_base": ROPE_BASE,
        "epsilon": EPSILON,
    }
    made = {
        "name": recipe.name,
        "seed": recipe.seed,
        "steps": run.step,
        "grammar": grammar.VERSION,
        "cpu_seconds": run.cpu_seconds,
        "torch": torch.__version__,
        "mixture": [[share.weight, [str(size) for size in share.sizes]] for share in recipe.shares],
    }
    tensors = {n: p.detach().half().contiguous() for n, p in run.network.named_parameters()}
    metadata = {"format": "pt", "config": json.dumps(config), "recipe": json.dumps(made)}
    save_file(tensors, path, metadata)


def save_curve(run: Run, path: Path) -> None:
    """Write a run's learning curve as JSON."""
    points = [asdict(point) for point in run.curve]
    path.write_text(json.dumps({"recipe": run.recipe.name, "points": points}, indent=1) + "\n")
