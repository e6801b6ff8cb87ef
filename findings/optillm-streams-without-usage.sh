#!/usr/bin/env bash
# optillm 0.4.0's proxy: an approach such as bon asks the model several times. Not streamed, its usage adds all of them up;
# streamed, with stream_options asking for usage, there is none, so that a client sees one answer of those that were decoded.
# Its approach "none" does report it. A plain stub stands for the model. Installed without its dependencies (7 GB, torch among
# them) but with what its server imports.
set -euo pipefail
D=$(mktemp -d); trap 'kill ${A:-} ${B:-} 2>/dev/null || true; rm -rf "$D"' EXIT
"${PYTHON:-python3}" -m venv "$D/v"
"$D/v/bin/pip" install -q aiohttp==3.14.5 cerebras_cloud_sdk==1.91.0 flask==3.1.3 httpx==0.28.1 math-verify==0.9.0 networkx==3.6.1 numpy==2.4.6 openai==2.54.0 PyYAML==6.0.4 requests==2.34.2 scipy==1.17.1 sympy==1.14.0 z3-solver==4.15.4.0 2>/dev/null
"$D/v/bin/pip" install -q --no-deps 'optillm==0.4.0' 2>/dev/null
"$D/v/bin/pip" list 2>/dev/null | grep -i '^optillm'
cat > "$D/stub.py" <<'PY'
import http.server, json, sys
class H(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def log_message(self, *a): pass
    def reply(self, value):
        out = json.dumps(value).encode()
        self.send_response(200); self.send_header("Content-Type", "application/json"); self.send_header("Content-Length", str(len(out))); self.end_headers(); self.wfile.write(out)
    def do_GET(self):
        self.reply({"object": "list", "data": [{"id": "m", "object": "model", "created": 1, "owned_by": "stub"}]})
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        n = body.get("n") or 1
        print(40 * n, flush=True)
        choice = {"message": {"role": "assistant", "content": "word " * 39 + "5"}, "finish_reason": "stop"}
        self.reply({"id": "x", "object": "chat.completion", "created": 1, "model": "m", "choices": [{"index": i, **choice} for i in range(n)], "usage": {"prompt_tokens": 10, "completion_tokens": 40 * n, "total_tokens": 10 + 40 * n}})
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), H).serve_forever()
PY
read -r P Q < <(python3 -c 'import socket; a,b=socket.socket(),socket.socket(); a.bind(("127.0.0.1",0)); b.bind(("127.0.0.1",0)); print(a.getsockname()[1], b.getsockname()[1])')
"${PYTHON:-python3}" "$D/stub.py" "$P" > "$D/stub.log" & A=$!
(cd "$D" && HOME="$D" OPENAI_API_KEY=none exec "$D/v/bin/python" -c 'import optillm; optillm.main()' --port "$Q" --base-url "http://127.0.0.1:$P/v1" > "$D/optillm.log" 2>&1) & B=$!
for _ in $(seq 240); do curl -sf "http://127.0.0.1:$Q/health" >/dev/null && break; sleep .5; done
"${PYTHON:-python3}" - "$D" "$Q" <<'PY'
import json, sys, urllib.request
d, port = sys.argv[1:]
def ask(model, stream):
    before = sum(map(int, open(f"{d}/stub.log")))
    body = {"model": model, "messages": [{"role": "user", "content": "How many?"}], "max_tokens": 100}
    if stream: body |= {"stream": True, "stream_options": {"include_usage": True}}
    request = urllib.request.Request(f"http://127.0.0.1:{port}/v1/chat/completions", json.dumps(body).encode(), {"Content-Type": "application/json"})
    text = urllib.request.urlopen(request).read().decode()
    events = [json.loads(l[6:]) for l in text.splitlines() if l.startswith("data: {")] if stream else [json.loads(text)]
    usage = [e["usage"]["completion_tokens"] for e in events if e.get("usage")]
    served = sum(map(int, open(f"{d}/stub.log"))) - before
    print(f"{model}, {'streamed' if stream else 'whole'}: {served} tokens decoded behind it, usage says {usage or 'nothing'}")
    return served, usage
found = {(m, s): ask(m, s) for m in ("none-m", "bon-m") for s in (False, True)}
same = all(found["none-m", s][1] == [found["none-m", s][0]] for s in (False, True))
same &= found["bon-m", False][0] > 40 and found["bon-m", False][1] == [found["bon-m", False][0]]
same &= found["bon-m", True][0] > 40 and not found["bon-m", True][1]
print("as described" if same else "CHANGED"); sys.exit(not same)
PY
