#!/usr/bin/env bash
# Every C++ source under ROOT is compiled by this build: a file that is not built proves nothing.
# Usage: built.sh ROOT COMPILE_COMMANDS
set -euo pipefail
export LC_ALL=C
root=${1:?usage: built.sh ROOT COMPILE_COMMANDS}
commands=${2:?usage: built.sh ROOT COMPILE_COMMANDS}
compiled=$(sed -n 's|^ *"file": "\(.*\)".*|\1|p' "$commands")
# A unity source includes what it compiles.
unity=$(grep '/Unity/unity_[^/]*$' <<<"$compiled" || true)
built=$({
  echo "$compiled"
  [ -z "$unity" ] || xargs -d '\n' sed -n 's|^#include "\(.*\)"$|\1|p' <<<"$unity"
} | sort -u)
# The consumer is a project of its own, and test/sanitizers is part of sanitized builds alone: see their pages.
wanted=$(cd "$root" && find "$PWD" \( -name '.?*' -o -path "$PWD/build*" -o -path "$PWD/test/consumer" \
         -o -path "$PWD/test/sanitizers" \) -prune -o -name '*.cpp' -print | sort)
missing=$(comm -23 <(echo "$wanted") <(echo "$built"))
if [ -n "$missing" ] || [ -z "$wanted" ]; then
  sed "s|^$root/||; s|\$|:1: built: no target compiles it|" <<<"$missing"
  exit 1
fi
echo "house: $(wc -l <<<"$wanted") sources, all compiled"
