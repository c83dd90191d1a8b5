#!/usr/bin/env bash
# Every rule of PROTOCOL.md has a canary in the table of test/sim/README.md, which is what the build reads; and the
# flags in that table are those in the sources. Prints one line per violation: FILE:1: RULE: what is wrong.
# Usage: canaries.sh ROOT
set -euo pipefail
export LC_ALL=C
cd "${1:?usage: canaries.sh ROOT}"
protocol=libpaxtor/PROTOCOL.md
table=test/sim/README.md

rules=$(sed -nE 's/^- \*\*([LSFR][0-9]+)[ *].*/\1/p' "$protocol" | sort -u)
rows=$(sed -nE 's/^\| ([LSFR][0-9]+) \| `([A-Z0-9_]+)` \| .*/\1 \2/p' "$table")
in_table=$(cut -d' ' -f2 <<<"$rows" | sort)
in_sources=$({ grep -rhoE --include='*.[hc]pp' 'PAXTOR_CANARY_[A-Z0-9_]+' libpaxtor net actors test tools || true; } |
             sed 's/^PAXTOR_CANARY_//' | sort -u)

violations() {
  comm -23 <(echo "$rules") <(cut -d' ' -f1 <<<"$rows" | sort -u) |
    sed "s|.*|$table:1: rule: no canary takes & out|"
  comm -13 <(echo "$rules") <(cut -d' ' -f1 <<<"$rows" | sort -u) |
    sed "s|.*|$table:1: rule: $protocol has no rule &|"
  comm -13 <(sort -u <<<"$in_table") <(echo "$in_sources") |
    sed "s|.*|$table:1: flag: PAXTOR_CANARY_& is in the sources, and no row builds it|"
  comm -23 <(sort -u <<<"$in_table") <(echo "$in_sources") |
    sed "s|.*|$table:1: flag: PAXTOR_CANARY_& is in no source|"
  uniq -d <<<"$in_table" | sed "s|.*|$table:1: flag: PAXTOR_CANARY_& has two rows|"
}

found=$(violations)
if [ -n "$found" ] || [ -z "$rules" ]; then
  echo "$found"
  exit 1
fi
echo "house: $(wc -l <<<"$rules") rules, $(wc -l <<<"$rows") canaries"
