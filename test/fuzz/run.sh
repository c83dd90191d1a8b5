#!/usr/bin/env bash
# Runs one fuzzer, which has been built, for some time. It begins with the kept inputs and with what earlier runs in the
# same build folder have found; what it finds now stays there too: BUILD/corpora/TARGET, BUILD/findings.
# Usage: run.sh [--seconds N] [--expect-finding] --build BUILD TARGET   (N: else PAXTOR_FUZZ_SECONDS, else 60)
# Exit status: 0 nothing was found, 1 something was (with --expect-finding the other way round), 64 wrong usage.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
seconds=${PAXTOR_FUZZ_SECONDS:-60}
expect=
build=
while [ $# -gt 1 ]; do
  case $1 in
    --seconds) seconds=$2; shift 2 ;;
    --build) build=$2; shift 2 ;;
    --expect-finding) expect=yes; shift ;;
    *) break ;;
  esac
done
target=${1:-}
program=$build/test/fuzz/paxtor-fuzz-$target
if [ $# -ne 1 ] || ! [ -x "$program" ]; then
  sed -n '2,5s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
  [ -z "$target" ] || echo "$program: is not there; build the preset fuzz first" >&2
  exit 64
fi

kept=$here/corpus/$target.hex
corpus=$build/corpora/$target
findings=$build/findings
log=$build/corpora/$target.log
mkdir -p "$build/corpora"
# A planted bug is to be found each time anew, and from nothing.
[ -z "$expect" ] || { rm -rf "$corpus"; findings=$build/corpora/planted; rm -rf "$findings"; }
mkdir -p "$corpus" "$findings"
[ -n "$expect" ] || "$program-replay" --unpack "$kept" "$corpus"

# A text dictionary would not help: inputs are decisions, or msgpack.
status=0
"$program" "$corpus" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=1024 -print_final_stats=1 \
  -verbosity=1 -artifact_prefix="$findings/$target-" >"$log" 2>&1 &
# Whoever ends this script ends the fuzzer.
trap 'kill "$!" 2>/dev/null || true; wait; exit 130' INT TERM
wait "$!" || status=$?

if [ "$status" -eq 0 ]; then
  runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
  covered=$(grep -ao 'cov: [0-9]*' "$log" | tail -n 1 || true)
  echo "$target: $runs inputs in $seconds s, $covered, $(find "$corpus" -type f | wc -l) kept: nothing found"
  [ -z "$expect" ] || { echo "$target: the planted bug was not found"; exit 1; }
  exit 0
fi
if [ -n "$expect" ] && grep -qaE 'paxtor-fuzz: broken|^paxtor: ' "$log"; then
  echo "$target: found, as it must be: $(grep -am 1 -E 'paxtor-fuzz: broken|^paxtor: ' "$log")"
  exit 0
fi
tail -n 60 "$log"
echo
echo "$target: FOUND SOMETHING. The log is $log. To run that input alone:"
for file in "$findings/$target-"*; do
  [ ! -f "$file" ] || echo "  $program-replay $file"
done
exit 1
