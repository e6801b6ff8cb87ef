#!/usr/bin/env bash
# transformers 5.24.0, `transformers serve`: a request with n and logprobs is answered with status 200, one choice and no
# log-probabilities; nothing in the reply says that both were left out (its source says that receiving them raises an error).
# The model is a small Llama with random weights, made here.
set -euo pipefail
D=$(mktemp -d); trap 'kill ${A:-} 2>/dev/null || true; rm -rf "$D"' EXIT
"${PYTHON:-python3}" -m venv "$D/v"; "$D/v/bin/pip" install -q 'transformers[serving]==5.24.0' torch==2.13.0 2>/dev/null
"$D/v/bin/pip" list 2>/dev/null | grep -iE '^(transformers|torch) '
cat > "$D/make.py" <<'PY'
import sys, torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
t = Tokenizer(models.BPE()); t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False); t.decoder = decoders.ByteLevel()
t.train_from_iterator(["How many? Five."], trainers.BpeTrainer(vocab_size=300, special_tokens=["<s>", "</s>"], initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
f = PreTrainedTokenizerFast(tokenizer_object=t, bos_token="<s>", eos_token="</s>")
f.chat_template = "{% for m in messages %}<s>{{ m['role'] }}\n{{ m['content'] }}</s>\n{% endfor %}<s>assistant\n"
f.save_pretrained(sys.argv[1])
torch.manual_seed(0)
LlamaForCausalLM(LlamaConfig(vocab_size=len(f), hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=4, max_position_embeddings=512, bos_token_id=0, eos_token_id=1)).save_pretrained(sys.argv[1])
PY
"$D/v/bin/python" "$D/make.py" "$D/untrained" > /dev/null 2>&1
Q=$(python3 -c 'import socket; a=socket.socket(); a.bind(("127.0.0.1",0)); print(a.getsockname()[1])')
HF_HUB_OFFLINE=1 HOME="$D" "$D/v/bin/transformers" serve "$D/untrained" --port "$Q" --host 127.0.0.1 --device cpu > "$D/log" 2>&1 & A=$!
for _ in $(seq 480); do curl -sf "http://127.0.0.1:$Q/health" >/dev/null && break; sleep .5; done
"${PYTHON:-python3}" - "$D" "$Q" <<'PY'
import json, sys, urllib.request
d, port = sys.argv[1:]
body = {"model": f"{d}/untrained", "messages": [{"role": "user", "content": "How many?"}], "max_tokens": 8, "n": 3, "logprobs": True, "top_logprobs": 2}
request = urllib.request.Request(f"http://127.0.0.1:{port}/v1/chat/completions", json.dumps(body).encode(), {"Content-Type": "application/json"})
with urllib.request.urlopen(request) as response:
    status, reply = response.status, json.load(response)
print("asked for n 3, logprobs, top_logprobs 2: status", status, "choices", len(reply["choices"]), "logprobs", reply["choices"][0].get("logprobs"), "usage", reply["usage"])
same = status == 200 and len(reply["choices"]) == 1 and reply["choices"][0].get("logprobs") is None
print("as described" if same else "CHANGED"); sys.exit(not same)
PY
