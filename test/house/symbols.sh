#!/usr/bin/env bash
# The pure floors as compiled: what they call in the end (no clock, thread, random source, file, socket), and that they
# keep no state of their own (no writable data). Sees what a template or an included header brings in.
# Usage: symbols.sh LIBRARY.a...     symbols.sh --selftest COMPILER
set -euo pipefail
export LC_ALL=C

outside='std::(chrono::_V2::|random_device::|thread::|this_thread|condition_variable|filesystem::|__atomic_futex)'
outside+='|std::basic_[io]?f(stream|ilebuf)|clock_gettime|gettimeofday|time$|pthread_|sem_|socket|connect|recv|send'
outside+='|fopen|open(64)?$|read$|write$|getenv|rand(om)?$|usleep|nanosleep|epoll_|caf::|sqlite3_'

check() {
  local library bad=0
  for library in "$@"; do
    [ -s "$library" ] || { echo "$library: missing"; return 1; }
    # Undefined (U, w) symbols that reach outside. Weak pthread references come with std::shared_ptr.
    if nm -C --undefined-only "$library" | grep -E " U ($outside)" |
      sed "s|^|$(basename "$library"): symbols: calls|"; then bad=1; fi
    # Writable data (.data and .bss, not what is read-only once loaded), but for guards of constant function statics,
    # and the one global: what a broken invariant does.
    if objdump -tC "$library" | grep -E ' O +\.(data|bss|tdata|tbss)' | grep -v ' \.data\.rel\.ro' |
      grep -vE ' (guard variable for .*|paxtor::\(anonymous namespace\)::current_handler|DW\.ref\..*)$' |
      sed "s|^[0-9a-f]*|$(basename "$library"): symbols: keeps state|"; then bad=1; fi
  done
  return $bad
}

selftest() {
  local compiler=$1 folder caught=0 wanted=0 code
  folder=$(mktemp -d)
  trap "rm -rf '$folder'" EXIT
  while read -r code; do
    wanted=$((wanted + 1))
    printf '%s\n' "$code" | sed 's/ ;; /\n/g' >"$folder/a.cpp"
    "$compiler" -std=c++20 -O1 -c "$folder/a.cpp" -o "$folder/a.o"
    rm -f "$folder/a.a"
    ar qc "$folder/a.a" "$folder/a.o" 2>/dev/null
    if check "$folder/a.a" >/dev/null; then echo "FAILED: not caught: $code"; else caught=$((caught + 1)); fi
  done <<'PLANTS'
#include <chrono> ;; auto f() { return std::chrono::steady_clock::now(); }
#include <random> ;; unsigned f() { return std::random_device{}(); }
#include <thread> ;; void f() { std::thread([] {}).join(); }
#include <fstream> ;; bool f() { return std::ifstream("x").good(); }
#include <ctime> ;; auto f() { return std::time(nullptr); }
#include <mutex> ;; std::mutex m; ;; void f() { std::lock_guard g{m}; }
static int count = 0; ;; int f() { return ++count; }
PLANTS
  echo 'const char* f(int i) { static const char* const table[] = {"a", "b"}; return table[i]; }' >"$folder/a.cpp"
  "$compiler" -std=c++20 -O1 -c "$folder/a.cpp" -o "$folder/a.o"
  rm -f "$folder/a.a"
  ar qc "$folder/a.a" "$folder/a.o" 2>/dev/null
  check "$folder/a.a" || { echo "FAILED: a clean library was refused"; return 1; }
  echo "symbols selftest: $caught of $wanted planted uses caught"
  [ "$caught" -eq "$wanted" ]
}

if [ "${1:?usage: symbols.sh LIBRARY.a...}" = --selftest ]; then
  selftest "${2:?compiler}"
else
  check "$@" && echo "symbols: $# libraries, nothing that reaches outside, no state"
fi
