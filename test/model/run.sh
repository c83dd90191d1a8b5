#!/usr/bin/env bash
# Checks the model of sessions, lock and fence: every state that can be reached within its bounds.
# Usage: run.sh [--expect-error] [--work DIR] [-DNAME[=VALUE] ...]
#   -D...            a rule taken out, or a bound: lease.pml has their names
#   --expect-error   two owners must be found: the rule is needed
#   --work DIR       build there, and leave it: for reading a counterexample
# Exit status: 0 as expected, 1 not, 2 the search was not complete, 64 wrong usage.
set -euo pipefail
model=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/lease.pml
expect=
work=
defines=()
while [ $# -gt 0 ]; do
  case $1 in
    --expect-error) expect=yes; shift ;;
    --work) work=${2:?--work wants a directory}; shift 2 ;;
    -D?*) defines+=("$1"); shift ;;
    *) sed -n '3,7s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 64 ;;
  esac
done
if [ -z "$work" ]; then
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
fi
mkdir -p "$work"
cd "$work"
rm -f ./*.trail

spin -a "${defines[@]}" "$model" >spin.log || { cat spin.log; exit 2; }
# Breadth first: no bound of depth that could cut the search short, and the shortest counterexample.
"${CC:-cc}" -O2 -w -DSAFETY -DBFS -DMEMLIM="${PAXTOR_MODEL_MB:-2500}" -o pan pan.c
./pan >pan.log 2>&1 || true

errors=$(sed -n 's/.*errors: \([0-9]*\).*/\1/p' pan.log)
states=$(sed -n 's/^ *\([0-9.e+]*\) states, stored.*/\1/p' pan.log)
transitions=$(sed -n 's/^ *\([0-9.e+]*\) transitions.*/\1/p' pan.log)
depth=$(sed -n 's/.*depth reached \([0-9]*\).*/\1/p' pan.log)
seconds=$(sed -n 's/^pan: elapsed time \([0-9.e+-]*\) seconds.*/\1/p' pan.log)
echo "${defines[*]:-all rules}: ${states:-?} states, ${transitions:-?} transitions, depth ${depth:-?}," \
     "${seconds:-?} s, ${errors:-?} errors"

if grep -qiE 'out of memory|max search depth too small|memory limit|error: ' pan.log; then
  cat pan.log
  echo "the search was cut short: a larger PAXTOR_MODEL_MB (megabytes), or smaller bounds"
  exit 2
fi
if [ -n "$expect" ]; then
  [ "${errors:-0}" -gt 0 ] && grep -q 'assertion violated' pan.log && [ -f lease.pml.trail ] && exit 0
  cat pan.log
  echo "nothing was found: the rule is not needed, or the model does not test it"
  exit 1
fi
if [ "${errors:-1}" != 0 ]; then
  cp -p "$model" .
  spin -t -g -T "${defines[@]}" lease.pml | tail -n 120
  echo "two owners; the steps that led there are above"
  exit 1
fi
# Not every search that ends has been complete.
if grep -q 'Search not completed' pan.log || [ -z "$states" ]; then
  cat pan.log
  exit 2
fi
