#!/usr/bin/env bash
# forever.sh PAXTOR_SIM: --forever ends by a signal and by its time limit, each time with its summary and status 0.
set -euo pipefail
sim=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
  echo "forever.sh: $1" >&2
  cat "$work"/* >&2
  exit 1
}

# Of the summary on stdin, one number.
count() {
  sed -n "s/.*\"$1\":\([0-9.e+-]*\).*/\1/p" | tail -1
}

"$sim" --forever --from 7 --jobs 2 --json --progress 1 >"$work/out" 2>"$work/err" &
pid=$!
for _ in $(seq 600); do
  grep -q "simulated years" "$work/err" && break
  sleep 0.1
done
kill -TERM "$pid" || fail "it ended by itself"
wait "$pid" || fail "status $? after SIGTERM"
[ "$(count runs <"$work/out")" -gt 0 ] || fail "no runs by SIGTERM"

"$sim" --forever --for 1s --json --progress 0 >"$work/out" || fail "status $? with --for"
[ "$(count runs <"$work/out")" -gt 0 ] || fail "no runs with --for"
grep -q simulated_years "$work/out" || fail "no simulated years"
