"""lm-eval and Inspect run a real task through `auto` on the embedded model, and are billed for it.

The model is too small to be right often; what is held is that each question is answered, counted
and scored, and that the harness's own sum of tokens is that of the gateway.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from peers.conftest import Install
from peers.gateway.commands import run
from peers.gateway.driven import SIDE
from peers.gateway.served import KEY, Served, served

pytestmark = [pytest.mark.peers, pytest.mark.heavy, pytest.mark.timeout(1800)]

SUMS = [(2, 3), (7, 5), (1, 8), (10, 4), (6, 6), (9, 3)]
WIDTH = 9
"""The most drafts of one question: the gateway's own rule."""


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The gateway before the model in its own process."""
    pytest.importorskip("xllamacpp", reason="the embedded engine is not installed")
    with served(tmp_path_factory.mktemp("embedded"), "-e", "embedded") as running:
        yield running


def test_lm_eval_runs_a_task(installed: Install, embedded: Served, tmp_path: Path) -> None:
    lm_eval = installed("gateway-lm-eval", ["lm-eval[api]==0.4.13"]).with_name("lm-eval")
    rows = [{"question": f"What is {a} + {b}?", "answer": str(a + b)} for a, b in SUMS]
    (tmp_path / "questions.jsonl").write_text("\n".join(map(json.dumps, rows)))
    shutil.copy(SIDE / "arithmetic.yaml", tmp_path)
    embedded.forget()
    arguments = f"model=auto,base_url={embedded.url}/chat/completions,num_concurrent=2"
    words: list[object] = [
        lm_eval,
        "run",
        "--model",
        "local-chat-completions",
        "--model_args",
        arguments,
    ]
    words += ["--tasks", "workspan_arithmetic", "--include_path", tmp_path, "--log_samples"]
    words += ["--apply_chat_template", "--output_path", tmp_path / "out"]
    variables = {"OPENAI_API_KEY": KEY, "HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"}
    ran = run(words, tmp_path, variables)
    assert ran.code == 0, ran.all[-3000:]
    (results,) = (tmp_path / "out").rglob("results_*.json")
    told = json.loads(results.read_text())["results"]["workspan_arithmetic"]
    assert 0 <= told["exact_match,last-number"] <= 1
    (samples,) = (tmp_path / "out").rglob("samples_*.jsonl")
    answered = [json.loads(line) for line in samples.read_text().splitlines()]
    assert len(answered) == len(SUMS)
    assert all(sample["resps"][0][0].strip() for sample in answered)
    _are_scaled(embedded.wait_for_next(len(SUMS)))


def _are_scaled(lines: list[dict[str, Any]]) -> None:
    assert [line["status"] for line in lines] == [200] * len(SUMS)
    assert all(line["strategy"] for line in lines)
    assert all(3 <= line["calls"] <= WIDTH for line in lines)
    assert {line["source"] for line in lines} == {"measured"}


def test_inspect_runs_a_task(installed: Install, embedded: Served, tmp_path: Path) -> None:
    packages = ["inspect-ai==0.3.285", "openai==3.57.0"]
    inspect = installed("gateway-inspect", packages).with_name("inspect")
    rows = [{"input": f"What is {a} + {b}?", "target": str(a + b)} for a, b in SUMS]
    (tmp_path / "samples.jsonl").write_text("\n".join(map(json.dumps, rows)))
    shutil.copy(SIDE / "arithmetic.py", tmp_path)
    embedded.forget()
    words: list[object] = [inspect, "eval", "arithmetic.py", "--model", "openai-api/workspan/auto"]
    words += [
        "--display",
        "plain",
        "--log-format",
        "json",
        "--log-dir",
        "logs",
        "--no-fail-on-error",
    ]
    variables = {"WORKSPAN_BASE_URL": embedded.url, "WORKSPAN_API_KEY": KEY}
    ran = run(words, tmp_path, variables)
    assert ran.code == 0, ran.all[-3000:]
    (log,) = (tmp_path / "logs").glob("*.json")
    told = json.loads(log.read_text())
    assert told["status"] == "success", told.get("error")
    assert len(told["samples"]) == len(SUMS)
    assert all(sample["output"]["completion"].strip() for sample in told["samples"])
    lines = embedded.wait_for_next(len(SUMS))
    _are_scaled(lines)
    (usage,) = told["stats"]["model_usage"].values()
    assert usage["output_tokens"] == sum(line["work"] for line in lines)
