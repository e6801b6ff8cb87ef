"""The official `openai` client, unmodified, with files and batches."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from peers.conftest import Install
from peers.gateway.conftest import Keyed
from peers.gateway.driven import SIDE, environment_of
from peers.gateway.simulated_upstream import Upstream

pytestmark = [pytest.mark.peers, pytest.mark.timeout(600)]


def _done(installed: Install, keyed: Keyed, model: str, home: Path) -> Any:
    python = installed("gateway-openai", ["openai==3.57.0"])
    variables = {**environment_of(home), "GATEWAY_KEY": keyed.rich}
    command = [str(python), str(SIDE / "openai_batches.py"), keyed.gateway.url, model]
    ran = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr[-2000:]
    return json.loads(ran.stdout)


@pytest.mark.parametrize("model", ["m", "m:careful"])
def test_it_sends_begins_watches_cancels_lists_and_reads(
    installed: Install, keyed: Keyed, upstream: Upstream, tmp_path: Path, model: str
) -> None:
    upstream.clear()
    seen = _done(installed, keyed, model, tmp_path)
    assert seen["sent"] is True
    assert seen["file"]["filename"] == "asks é.jsonl"
    assert seen["begun"] == "in_progress"
    batch = seen["batch"]
    assert batch["status"] == "completed"
    assert batch["request_counts"] == {"total": 20, "completed": 19, "failed": 1}
    assert batch["metadata"] == {"night": "1"}
    assert [one["custom_id"] for one in seen["output"]] == [f"line-{at}" for at in range(1, 20)]
    for one in seen["output"]:
        assert one["response"]["body"]["choices"][0]["message"]["content"]
        assert one["response"]["body"]["workspan"]["work"] > 0
    [error] = seen["errors"]
    assert error["custom_id"] == "line-0"
    assert error["response"]["status_code"] == 404
    assert error["response"]["body"]["error"]["code"] == "model_not_found"
    assert seen["cancelled"] == "cancelled"
    assert set(seen["ids"]) <= set(seen["listed"])
    assert seen["file"]["id"] in seen["files"]
    assert seen["deleted"] is True
    assert seen["error"] == {"status": 404, "kind": "NotFoundError"}
