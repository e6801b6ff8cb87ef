"""lm-eval's own command runs a task through a strategy: repeats differ, and a journal resumes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from peers.inside.conftest import SIDE, Inside, Serve, Simulated

pytestmark = [pytest.mark.peers, pytest.mark.timeout(900)]

QUESTIONS, REPEATS, DRAWS = 2, 3, 4


def run(python: Path, server: Simulated, folder: Path, out: str) -> tuple[dict[str, Any], Any]:
    """Run the task; return what the results hold of the account, and each question's answers."""
    told = {"engine": server.url, "model": "simulated", "kind": "number", "budget": "1k work"}
    told |= {"strategy": f"self_consistency(n={DRAWS}, max_tokens=30)", "journal": "calls.jsonl"}
    words = ["run", "--model", "workspan", "--model_args", json.dumps(told)]
    words += ["--tasks", "workspan_sums", "--include_path", ".", "--log_samples"]
    offline = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "HOME": str(folder)}
    done = subprocess.run(
        [python, "-m", "workspan.integrations.lm_eval", *words, "--output_path", out],
        cwd=folder,
        env={"PATH": os.environ["PATH"], **offline},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
    (results,) = (folder / out).rglob("results_*.json")
    (samples,) = (folder / out).rglob("samples_*.jsonl")
    lines = [json.loads(line) for line in samples.read_text().splitlines()]
    return json.loads(results.read_text())["config"]["workspan"], [one["resps"] for one in lines]


def test_a_task_with_repeats(inside: Inside, serve: Serve, tmp_path: Path) -> None:
    python = inside("lm-eval", "lm-eval==0.4.13")
    server = serve("--text", "so", "--seeded")
    shutil.copy(SIDE / "arithmetic.yaml", tmp_path)
    rows = [{"question": f"What is {a} + 2?", "answer": str(a + 2)} for a in range(QUESTIONS)]
    (tmp_path / "questions.jsonl").write_text("\n".join(map(json.dumps, rows)))
    account, answers = run(python, server, tmp_path, "first")
    bill = server.bill
    assert bill["calls"] == account["calls"] == QUESTIONS * REPEATS * DRAWS
    assert bill["completion_tokens"] == account["work"]
    assert bill["prompt_tokens"] == account["prefill"]
    assert account["source"] == "measured"
    assert [len(of_one[0]) for of_one in answers] == [REPEATS] * QUESTIONS
    assert len({text for of_one in answers for text in of_one[0]}) > QUESTIONS  # not one draw
    again, same = run(python, server, tmp_path, "second")
    assert server.bill == bill  # every call is in the journal
    assert (again, same) == (account, answers)


def test_what_it_cannot_do_is_refused(inside: Inside, tmp_path: Path) -> None:
    python = inside("lm-eval", "lm-eval==0.4.13")
    code = (
        "from workspan.integrations.lm_eval import Scaled\n"
        "from workspan.errors import InputError, UnsupportedCapability\n"
        "model = Scaled('scripted', 'single')\n"
        "for call in (model.loglikelihood, model.loglikelihood_rolling):\n"
        "    try:\n        call([])\n"
        "    except UnsupportedCapability as error:\n        assert 'generate' in str(error)\n"
        "    else:\n        raise AssertionError\n"
        "try:\n    Scaled('scripted', tokens=3)\n"
        "except InputError as error:\n    assert 'tokens' in str(error)\n"
        "else:\n    raise AssertionError\n"
    )
    subprocess.run([python, "-c", code], cwd=tmp_path, check=True)
