"""DSPy: a program that is asked by the name of a model."""

from __future__ import annotations

from typing import Any

import dspy
from steps import QUESTION, Note, key, serve


def _lm(url: str, model: str) -> Any:
    return dspy.LM(f"openai/{model}", api_base=url, api_key=key(), cache=False)


def answer(url: str, model: str, note: Note) -> None:
    lm = _lm(url, model)
    with dspy.context(lm=lm):
        note["text"] = dspy.Predict("question -> answer")(question=QUESTION).answer
    note["completion_tokens"] = lm.history[-1]["usage"]["completion_tokens"]


def structured(url: str, model: str, note: Note) -> None:
    with dspy.context(lm=_lm(url, model)):
        found = dspy.ChainOfThought("question -> answer: int")(question=QUESTION)
    note["value"] = {"answer": found.answer, "reasoning": found.reasoning}


serve({"answer": answer, "structured": structured})
