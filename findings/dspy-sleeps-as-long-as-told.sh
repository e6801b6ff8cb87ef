#!/usr/bin/env bash
# dspy 3.4.1, seen on 2026-11-29: a 429 with Retry-After is waited out inside the call, however long it says; no limit, no word.
# OpenAI's own client raises at once where the wait is above two minutes. A server whose daily quota is used up may say 86400.
# Why it matters: a program, or a whole evaluation, hangs for hours and looks like a slow model.
# Workspan: the gateway sends Retry-After up to a minute alone, and tells longer waits in words (docs/howto/gateway-clients.md).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check dspy==3.4.1 openai==3.57.0
cat > "$work/show.py" <<'EOF'
import http.server
import json
import sys
import threading
import time
from importlib.metadata import version

import dspy
import openai

DAY = "86400"
PATIENCE = 30  # seconds that we watch
asked = []


class Refuses(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        asked.append(time.monotonic())
        body = json.dumps({"error": {"message": "quota of the day", "code": "quota"}}).encode()
        self.send_response(429)
        for name, value in {"Retry-After": DAY, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refuses)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}/v1"


def by_openai():
    openai.OpenAI(base_url=url, api_key="k").chat.completions.create(
        model="m", messages=[{"role": "user", "content": "Hi"}]
    )


def by_dspy():
    dspy.LM("openai/m", api_base=url, api_key="k", cache=False)("Hi")


def outcome(call):
    """Run a call for so long as we watch; return the error's name, or that it still waits."""
    found = []

    def run():
        try:
            call()
        except Exception as error:
            found.append(type(error).__name__)

    asked.clear()
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    return (found[0] if found else "still waits"), len(asked)


print("dspy", version("dspy"), "openai", version("openai"))
seen = {"openai": outcome(by_openai), "dspy": outcome(by_dspy)}
for name, (what, requests) in seen.items():
    print(f"  429, Retry-After: {DAY}   {name}: {what} after {PATIENCE} s at most, {requests} request(s)")
sys.exit(seen != {"openai": ("RateLimitError", 1), "dspy": ("still waits", 1)})
EOF
cd "$work" && venv/bin/python -W ignore show.py
