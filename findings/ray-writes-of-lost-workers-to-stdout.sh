#!/usr/bin/env bash
# ray 2.60.0: init(log_to_driver=False) keeps what workers print out of the driver's output. When a worker's process dies, Ray
# itself still says so on the driver's standard output, not on standard error: a program that writes one JSON record a line
# there gets lines in between that are none. The worker here ends itself, as one that the system kills would.
set -euo pipefail
D=$(mktemp -d); trap 'rm -rf "$D"' EXIT
"${PYTHON:-python3}" -m venv "$D/v"
"$D/v/bin/pip" install -q 'ray==2.60.0' 2>/dev/null
"$D/v/bin/pip" list 2>/dev/null | grep -i '^ray '
cat > "$D/driver.py" <<'PY'
import json, logging, os, time
import ray
ray.init(num_cpus=1, log_to_driver=False, logging_level=logging.ERROR, include_dashboard=False)
@ray.remote(max_retries=0)
def ends():
    os._exit(1)
try:
    ray.get(ends.remote())
except ray.exceptions.WorkerCrashedError as error:
    print(json.dumps({"record": 1, "error": type(error).__name__}), flush=True)
time.sleep(5)
print(json.dumps({"record": 2}), flush=True)
ray.shutdown()
PY
RAY_USAGE_STATS_ENABLED=0 "$D/v/bin/python" "$D/driver.py" > "$D/out" 2> "$D/err"
"${PYTHON:-python3}" - "$D" <<'PY'
import json, sys
lines = open(f"{sys.argv[1]}/out").read().splitlines()
def is_record(line):
    try: return isinstance(json.loads(line), dict)
    except ValueError: return False
others = [line for line in lines if line.strip() and not is_record(line)]
print(f"expected on standard output: 2 records; seen: {sum(map(is_record, lines))} records and {len(others)} other lines")
for line in others[:2]: print("   ", line[:110].encode("ascii", "replace").decode())
same = len(others) > 0 and sum(map(is_record, lines)) == 2
print("as described" if same else "CHANGED"); sys.exit(not same)
PY
