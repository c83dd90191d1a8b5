#!/usr/bin/env bash
# house.sh must pass a tree that keeps the rules and fail, with the right rule at the right place, on each planted
# violation of them.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
failures=0
cases=0

put() { # put FILE LINE...
  mkdir -p "$tree/$(dirname "$1")"
  printf '%s\n' "${@:2}" >"$tree/$1"
}

reset() {
  rm -rf "${tree:?}"/*
  local folder
  for folder in base paxos registry storage cluster; do
    put libpaxtor/$folder/a.hpp '#pragma once' '#include <map>' 'inline int a() { return 1; }'
    put libpaxtor/$folder/README.md "# $folder"
  done
  for folder in net actors examples tools test libpaxtor libpaxtor/include; do
    put $folder/README.md "# $folder"
  done
  put net/a.hpp '#pragma once' '#include <caf/io/all.hpp>' '#include "libpaxtor/cluster/a.hpp"' '#include <mutex>'
  put actors/a.cpp '#include <thread>' '#include "net/a.hpp"' '#include <paxtor/a.hpp>'
  put libpaxtor/include/paxtor/a.hpp '#pragma once' '#include <paxtor/b.hpp>' '#include <caf/all.hpp>'
  put libpaxtor/include/paxtor/b.hpp '#pragma once'
  put test/a_test.cpp '#include "actors/a.cpp"'
  # Mentions that are no use.
  put libpaxtor/base/b.cpp '// std::mutex, steady_clock' '/* std::thread' 'random_device */' \
      'auto text = "std::mutex \" system_clock";' "auto n = 1'000'000; auto c = '\"'; auto run_time(int);" \
      'struct x { void open(int); int time; };' 'using time_point = std::chrono::microseconds;'
}

fails_with() { # fails_with PATTERN [SCRIPT]: the tree as it stands is refused with a line that matches
  cases=$((cases + 1))
  local out
  if out=$("$here/${2:-house.sh}" "$tree"); then
    echo "FAILED: not refused, wanted: $1"
    failures=$((failures + 1))
  elif ! grep -qE "^$1" <<<"$out"; then
    printf 'FAILED: wanted %s, got:\n%s\n' "$1" "$out"
    failures=$((failures + 1))
  fi
  reset
}

reset
if ! out=$("$here/house.sh" "$tree"); then
  printf 'FAILED: a tree that keeps the rules was refused:\n%s\n' "$out"
  failures=1
fi

# Who may include whom.
for pair in base:paxos paxos:registry registry:paxos paxos:cluster cluster:storage storage:cluster; do
  put "libpaxtor/${pair%:*}/bad.hpp" '#pragma once' '' "#include \"libpaxtor/${pair#*:}/a.hpp\""
  fails_with "libpaxtor/${pair%:*}/bad.hpp:3: floor:"
done
put libpaxtor/cluster/bad.cpp '#include "net/a.hpp"'
fails_with 'libpaxtor/cluster/bad.cpp:1: floor:'
put net/bad.cpp '#include "actors/a.cpp"'
fails_with 'net/bad.cpp:1: floor:'
put actors/bad.cpp '#  include  "test/a_test.cpp"'
fails_with 'actors/bad.cpp:1: floor:'
put actors/bad.cpp '#include <caf/io/middleman.hpp>'
fails_with 'actors/bad.cpp:1: floor:'
put libpaxtor/paxos/bad.cpp '#include <paxtor/a.hpp>'
fails_with 'libpaxtor/paxos/bad.cpp:1: floor:'
put libpaxtor/storage/bad.cpp '#include <caf/actor.hpp>'
fails_with 'libpaxtor/storage/bad.cpp:1: floor:'
put libpaxtor/attic/a.hpp '#pragma once' '#include "libpaxtor/base/a.hpp"'
put libpaxtor/attic/README.md '# attic'
fails_with 'libpaxtor/attic/a.hpp:2: floor:'
put examples/bad.cpp '#include "libpaxtor/base/a.hpp"'
fails_with 'examples/bad.cpp:1: floor:'
put libpaxtor/include/paxtor/bad.hpp '#pragma once' '#include "libpaxtor/base/a.hpp"'
fails_with 'libpaxtor/include/paxtor/bad.hpp:2: door:'
put net/bad.cpp '#include "a.hpp"'
fails_with 'net/bad.cpp:1: path:'

# What the pure floors may not use.
for header in thread mutex atomic shared_mutex condition_variable random fstream iostream filesystem unordered_map \
              unordered_set sys/socket.h unistd.h time.h future; do
  put libpaxtor/paxos/bad.cpp "#include <$header>"
  fails_with 'libpaxtor/paxos/bad.cpp:1: purity:'
done
put libpaxtor/base/bad.cpp '#include <caf/actor.hpp>'
fails_with 'libpaxtor/base/bad.cpp:1: floor:'
while read -r use; do
  put libpaxtor/registry/bad.cpp 'int before();' "$use"
  fails_with 'libpaxtor/registry/bad.cpp:2: purity:'
done <<'USES'
auto now = std::chrono::steady_clock::now();
using clock = std::chrono::system_clock;
std::random_device source;
std::mutex guard;
std::atomic<int> count;
  std::thread worker{run};
thread_local int depth = 0;
std::unordered_map<int, int> table;
auto t = std::time(nullptr);
auto t = ::time(nullptr);
auto fd = ::socket(1, 2, 3);
std::ifstream file{"name"};
std::cout << 1;
caf::actor self;
char* home = std::getenv("HOME");
/* a comment */ std::mutex after_a_comment;
auto text = "a string"; std::mutex after_a_string;
USES

# Size and form.
put net/bad.cpp "// $(printf '%0100d' 0)"
fails_with 'net/bad.cpp:1: columns:'
put net/bad.cpp "$(yes '// line' | head -n 501)"
fails_with 'net/bad.cpp:501: length:'
put net/bad.hpp '// no guard'
fails_with 'net/bad.hpp:1: once:'
put net/bad.cpp '// TO''DO: later'
fails_with 'net/bad.cpp:1: marker:'
put net/bad.cpp 'int a; '
fails_with 'net/bad.cpp:1: space:'
rm "$tree/libpaxtor/paxos/README.md"
fails_with 'libpaxtor/paxos:1: readme:'
put tools/lib/a.sh 'true'
fails_with 'tools/lib:1: readme:'

# Canaries.
canaries() { # canaries ROW...: a protocol of two rules, a source with two flags, and this table
  put libpaxtor/PROTOCOL.md '- **L1 Durable before said.** x' '- **F1** grants nothing'
  put libpaxtor/paxos/b.cpp '#ifdef PAXTOR_CANARY_ONE' '#endif' '#ifndef PAXTOR_CANARY_TWO' '#endif'
  put test/sim/README.md "$@"
}
one='| L1 | `ONE` | paxos/b.cpp | x | y | 1 | 1 |'
two='| F1 | `TWO` | paxos/b.cpp | x | y | 1 | 1 |'
canaries "$one" "$two"
if ! out=$("$here/canaries.sh" "$tree"); then
  printf 'FAILED: a table with a canary for every rule was refused:\n%s\n' "$out"
  failures=$((failures + 1))
fi
canaries "$one" "${two/F1/L1}"
fails_with 'test/sim/README.md:1: rule: no canary takes F1 out' canaries.sh
canaries "$one" "$two" '| L7 | `TWO` | paxos/b.cpp | x | y | 1 | 1 |'
fails_with 'test/sim/README.md:1: rule: .* has no rule L7' canaries.sh
canaries "$one" "${two/TWO/THREE}"
fails_with 'test/sim/README.md:1: flag: PAXTOR_CANARY_TWO is in the sources' canaries.sh
canaries "$one" "${two/TWO/THREE}"
fails_with 'test/sim/README.md:1: flag: PAXTOR_CANARY_THREE is in no source' canaries.sh
canaries "$one" "$two" "$two"
fails_with 'test/sim/README.md:1: flag: PAXTOR_CANARY_TWO has two rows' canaries.sh

echo "house selftest: $cases planted violations, $failures missed"
[ "$failures" -eq 0 ] && [ "$cases" -gt 50 ]
