"""``python -m workspan_evidence.train RECIPE [--to FOLDER]``."""

from __future__ import annotations

import argparse
import logging
from dataclasses import replace
from pathlib import Path

try:
    import torch
except ModuleNotFoundError as missing:
    raise SystemExit("training needs PyTorch: pip install 'workspan-evidence[train]'") from missing

from workspan_evidence.train.loop import Point, train
from workspan_evidence.train.recipes import RECIPES, recipe
from workspan_evidence.train.weights import save_curve, save_weights

_log = logging.getLogger("workspan_evidence.train")


def main() -> None:
    """Train one recipe; write RECIPE.safetensors and RECIPE.curve.json into a folder."""
    parser = argparse.ArgumentParser(prog="python -m workspan_evidence.train")
    parser.add_argument("recipe", choices=list(RECIPES))
    parser.add_argument("--to", type=Path, default=Path(), help="folder for the weights")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, help="the recipe's where not given")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--start", type=Path, help="weights to begin with")
    asked = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(asked.threads)
    chosen = replace(recipe(asked.recipe), seed=asked.seed)
    if asked.steps:
        chosen = replace(chosen, steps=asked.steps)
    asked.to.mkdir(parents=True, exist_ok=True)
    checkpoint = asked.to / f"{chosen.name}.checkpoint.safetensors"
    run = train(chosen, checkpoint, watch=_tell, start=asked.start)
    save_weights(run, asked.to / f"{chosen.name}.safetensors")
    save_curve(run, asked.to / f"{chosen.name}.curve.json")
    checkpoint.unlink()


def _tell(point: Point) -> None:
    families = "  ".join(f"{name} {loss:.3f}" for name, loss in point.families.items())
    _log.info(
        "step %d  cpu %.0f s  loss %.4f  %s", point.step, point.cpu_seconds, point.loss, families
    )


if __name__ == "__main__":
    main()
