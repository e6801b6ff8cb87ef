"""A small task of Inspect: sums, read from the answer's last number."""

from __future__ import annotations

from inspect_ai import Task, task
from inspect_ai.dataset import json_dataset
from inspect_ai.model import GenerateConfig
from inspect_ai.scorer import match
from inspect_ai.solver import generate, prompt_template


@task  # type: ignore[untyped-decorator]
def arithmetic() -> Task:
    return Task(
        dataset=json_dataset("samples.jsonl"),
        solver=[prompt_template("{prompt} Reply with only a number."), generate()],
        scorer=match(numeric=True),
        config=GenerateConfig(max_tokens=24, temperature=0.7),
    )
