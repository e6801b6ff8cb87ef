#!/bin/sh
# Secrets come as files: NAME_FILE names one, and NAME is set to what it holds, for this process alone.
set -eu
for name in WORKSPAN_ADMIN_KEY WORKSPAN_API_KEY; do
  eval "path=\${${name}_FILE:-}"
  if [ -n "$path" ]; then
    [ -r "$path" ] || { echo "${name}_FILE: $path can't be read" >&2; exit 1; }
    value=$(cat "$path")
    export "$name=$value"
  fi
done
exec workspan serve "$@"
