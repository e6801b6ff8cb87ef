#!/usr/bin/env bash
# its-hub 1.2.0's server, its-iaas: a request's max_tokens, seed and temperature do not reach the model behind it, the answer
# beyond the cap is said to have ended by itself ("stop"), and a stream carries it as one piece without usage, even where
# stream_options ask for it. A plain stub stands for the model; it answers 500 tokens unless it is told a cap.
set -euo pipefail
D=$(mktemp -d); trap 'kill ${A:-} ${B:-} 2>/dev/null || true; rm -rf "$D"' EXIT
"${PYTHON:-python3}" -m venv "$D/v"; "$D/v/bin/pip" install -q 'its-hub[iaas,lm]==1.2.0' 2>/dev/null
"$D/v/bin/pip" list 2>/dev/null | grep -i '^its'
cat > "$D/stub.py" <<'PY'
import http.server, json, sys
class H(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def log_message(self, *a): pass
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        n = body.get("max_tokens") or 500
        print(json.dumps({k: body.get(k) for k in ("max_tokens", "seed", "temperature")}), flush=True)
        out = json.dumps({"id": "x", "object": "chat.completion", "created": 1, "model": "m", "choices": [{"index": 0, "message": {"role": "assistant", "content": "word " * (n - 1) + "42"}, "finish_reason": "length" if n < 500 else "stop"}], "usage": {"prompt_tokens": 10, "completion_tokens": n, "total_tokens": n + 10}}).encode()
        self.send_response(200); self.send_header("Content-Type", "application/json"); self.send_header("Content-Length", str(len(out))); self.end_headers(); self.wfile.write(out)
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), H).serve_forever()
PY
read -r P Q < <(python3 -c 'import socket; a,b=socket.socket(),socket.socket(); a.bind(("127.0.0.1",0)); b.bind(("127.0.0.1",0)); print(a.getsockname()[1], b.getsockname()[1])')
"${PYTHON:-python3}" "$D/stub.py" "$P" > "$D/stub.log" & A=$!
"$D/v/bin/its-iaas" --port "$Q" > "$D/iaas.log" 2>&1 & B=$!
for _ in $(seq 240); do curl -sf "http://127.0.0.1:$Q/v1/models" >/dev/null && break; sleep .5; done
curl -sf -X POST "http://127.0.0.1:$Q/configure" -H 'content-type: application/json' -d "{\"endpoint\":\"http://127.0.0.1:$P/v1\",\"model\":\"m\",\"api_key\":\"none\",\"alg\":\"self-consistency\",\"budget\":1,\"regex_patterns\":[\"(.+)\"]}"; echo
ask() { curl -sf "http://127.0.0.1:$Q/v1/chat/completions" -H 'content-type: application/json' -d "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"Write.\"}],\"max_tokens\":20,\"seed\":7,\"temperature\":0.2$1}"; }
ask '' > "$D/whole.json"; ask ',"stream":true,"stream_options":{"include_usage":true}' > "$D/stream.txt"
"${PYTHON:-python3}" - "$D" <<'PY'
import json, sys
d = sys.argv[1]
whole = json.load(open(f"{d}/whole.json"))
events = [json.loads(line[6:]) for line in open(f"{d}/stream.txt") if line.startswith("data: {")]
pieces = [e["choices"][0]["delta"]["content"] for e in events if e["choices"] and e["choices"][0]["delta"].get("content")]
told = [json.loads(line) for line in open(f"{d}/stub.log")]
print("asked for max_tokens 20, seed 7, temperature 0.2; the model behind was told", told)
print("whole: finish_reason", whole["choices"][0]["finish_reason"], "usage", whole["usage"])
print("stream: pieces", [len(p.split()) for p in pieces], "words; events with usage", sum("usage" in e and bool(e["usage"]) for e in events))
same = all(t["max_tokens"] is None and t["seed"] is None and t["temperature"] is None for t in told)
same &= whole["choices"][0]["finish_reason"] == "stop" and whole["usage"]["completion_tokens"] == 500
same &= len(pieces) == 1 and not any(e.get("usage") for e in events)
print("as described" if same else "CHANGED"); sys.exit(not same)
PY
