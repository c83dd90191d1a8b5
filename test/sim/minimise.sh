#!/usr/bin/env bash
# minimise.sh CANARY: the first seed at which the canary is wrong becomes a much shorter run, which the command that is
# printed finds again, with the same rule broken.
set -euo pipefail
canary=$1

fail() {
  echo "minimise.sh: $1" >&2
  exit 1
}

# The command of the finding on stdin, without the program.
replay_of() {
  sed -n 's/^ *replay: [^ ]* //p' | tail -1
}

rule_of() {
  sed -n 's/^\(wrong: [^:]*\):.*/\1/p' | head -1
}

number_after() { # OPTION COMMAND: the number behind this option
  sed -n "s/.*$1 \([0-9]*\).*/\1/p" <<<"$2"
}

found=$("$canary" --seeds 1-200 --expect 1 --lines 0 --progress 0 2>&1 || true)
first=$(replay_of <<<"$found")
rule=$(rule_of <<<"$found")
[ -n "$first" ] || fail "the canary finds nothing: $found"

small=$("$canary" --minimise "$(number_after --replay "$first")" --lines 3) && fail "it ends with status 0"
command=$(replay_of <<<"$small")
[ -n "$command" ] || fail "it prints no command: $small"
steps=$(number_after --steps "$command")
before=$(number_after --steps "$first")
[ $((steps * 4)) -le "$before" ] || fail "$steps of $before steps are left"
[ "$(rule_of <<<"$small")" = "$rule" ] || fail "another rule than '$rule': $small"

# shellcheck disable=SC2086
again=$("$canary" $command 2>&1 >/dev/null) && fail "'$command' finds nothing"
[ "$(rule_of <<<"$again")" = "$rule" ] || fail "'$command' finds another rule than '$rule': $again"
echo "$rule: $before steps become $command"
