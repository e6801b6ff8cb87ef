"""`transformers serve`, as it is, with a count of the model's own steps beside it.

``counted_serve.py COUNTS serve …``: a hook of torch sees each pass of the whole model, which is one
decoded token a sequence, and writes tokens decoded and read to the file. Runs in the environment of
transformers.
"""

import os
import sys
import threading
from typing import Any

import torch
from transformers.cli.transformers import main

COUNTS = os.open(sys.argv.pop(1), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
counted = [0, 0]
lock = threading.Lock()


def count(
    module: torch.nn.Module,
    arguments: tuple[Any, ...],
    keywords: dict[str, Any],
    _output: object,
) -> None:
    """Add one pass of the whole model."""
    if not type(module).__name__.endswith("ForCausalLM"):
        return
    given = keywords["input_ids"] if "input_ids" in keywords else arguments[0]
    with lock:
        counted[0] += given.shape[0]
        counted[1] += given.numel() if given.shape[1] > 1 else 0
        os.pwrite(COUNTS, f"{counted[0]} {counted[1]}\n".encode(), 0)


torch.nn.modules.module.register_module_forward_hook(count, with_kwargs=True)
sys.argv[0] = "transformers"
main()
