"""The official Python client's files and batches: sent, begun, looked at, listed, cancelled, read.

Called with an address and a model, and the key in the environment; prints what it has seen.
"""

from __future__ import annotations

import io
import json
import os
import sys
import time
from typing import Any

from openai import APIStatusError, OpenAI

ENDPOINT: Any = "/v1/chat/completions"


def lines(model: str, count: int) -> bytes:
    """Write requests: one of them for a model that there is not."""
    found = []
    for at in range(count):
        asked = {"model": model if at else "nobody", "max_tokens": 50}
        turns = [{"role": "user", "content": f"question {at}"}]
        body = {**asked, "messages": turns}
        found.append({"custom_id": f"line-{at}", "method": "POST", "url": ENDPOINT, "body": body})
    return "\n".join(map(json.dumps, found)).encode()


def main(url: str, model: str) -> dict[str, Any]:
    """Do all of it."""
    client = OpenAI(base_url=url, api_key=os.environ["GATEWAY_KEY"])
    name = ("asks é.jsonl", io.BytesIO(lines(model, 20)))
    file = client.files.create(file=name, purpose="batch")
    sent = client.files.content(file.id).read()
    begun = client.batches.create(
        input_file_id=file.id,
        endpoint=ENDPOINT,
        completion_window="24h",
        metadata={"night": "1"},
    )
    batch = client.batches.retrieve(begun.id)
    while batch.status in ("validating", "in_progress", "finalizing"):
        time.sleep(0.2)
        batch = client.batches.retrieve(begun.id)
    assert batch.output_file_id
    assert batch.error_file_id
    output = client.files.content(batch.output_file_id).text.splitlines()
    errors = client.files.content(batch.error_file_id).text.splitlines()
    other = client.batches.create(input_file_id=file.id, endpoint=ENDPOINT, completion_window="24h")
    cancelled = client.batches.cancel(other.id)
    while cancelled.status == "cancelling":
        time.sleep(0.2)
        cancelled = client.batches.retrieve(other.id)
    listed = [one.id for one in client.batches.list(limit=1)]  # page by page
    files = [one.id for one in client.files.list()]
    gone = client.files.delete(file.id)
    try:
        client.files.retrieve(file.id)
        error = None
    except APIStatusError as refused:
        error = {"status": refused.status_code, "kind": type(refused).__name__}
    return {
        "file": file.to_dict(),
        "sent": sent.decode() == lines(model, 20).decode(),
        "begun": begun.status,
        "batch": batch.to_dict(),
        "output": [json.loads(one) for one in output],
        "errors": [json.loads(one) for one in errors],
        "cancelled": cancelled.status,
        "listed": listed,
        "files": files,
        "deleted": gone.deleted,
        "error": error,
        "ids": [begun.id, other.id],
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(*sys.argv[1:])) + "\n")
