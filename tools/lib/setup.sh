# Shared by tools/demo and tools/check, which source it: packages, configuring and building, with a sign of life for
# people. Expects `root`, the project's folder.

say() { printf '%s\n' "$*" >&2; }

die() {
  say "$0: $*"
  exit 1
}

# What would be installed: the packages of packages.txt that dpkg does not know as installed.
missing_packages() {
  local name
  sed 's/#.*//' "$root/tools/lib/packages.txt" | while read -r name _; do
    [ -n "$name" ] || continue
    [ "$(dpkg-query -W -f '${Status}' "$name" 2>/dev/null)" = 'install ok installed' ] || echo "$name"
  done
}

# Installs what is missing. Without apt (not Debian), leaves it to CMake to say what it does not find.
install_packages() {
  command -v dpkg-query >/dev/null && command -v apt-get >/dev/null || return 0
  local missing log as_root=()
  mapfile -t missing < <(missing_packages)
  [ "${#missing[@]}" -gt 0 ] || return 0
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null ||
      die "these packages are missing: ${missing[*]}. Install them as root: apt-get install ${missing[*]}"
    as_root=(sudo)
  fi
  say "Installing ${#missing[@]} Debian packages: ${missing[*]}"
  log=$(mktemp)
  # noninteractive, and no stdin: nothing may ask.
  if ! { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Acquire::Retries=3 update &&
         "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
           apt-get -qq -y --no-install-recommends -o Acquire::Retries=3 install "${missing[@]}"
       } </dev/null >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    rm -f "$log"
    die "apt-get failed; its last lines are above"
  fi
  rm -f "$log"
}

# quietly WHAT COMMAND...: runs it with its output in a log; shows progress (ninja's counter) on a terminal, a line
# every 20 s elsewhere; the log's end if it fails.
quietly() {
  local what=$1 log status=0 started=$SECONDS shown=$SECONDS pid progress
  shift
  log=$(mktemp)
  # A process group of its own, so that an interrupted script leaves no compiler and no test behind.
  setsid "$@" </dev/null >"$log" 2>&1 &
  pid=$!
  # `|| true`: under `set -e` the end of what was interrupted would be the end of this trap too.
  trap 'kill -- "-$pid" 2>/dev/null || true; wait "$pid" 2>/dev/null || true; rm -f "$log"; exit 130' INT TERM
  while kill -0 "$pid" 2>/dev/null; do
    progress=$(grep -oE '^\[[0-9]+/[0-9]+\]|^ *[0-9]+/[0-9]+ Test' "$log" | tail -n 1 || true)
    if [ -t 2 ]; then
      printf '\r\033[K%s %s %d s' "$what" "$progress" $((SECONDS - started)) >&2
    elif [ $((SECONDS - shown)) -ge 20 ]; then
      say "$what $progress $((SECONDS - started)) s"
      shown=$SECONDS
    fi
    sleep 0.3
  done
  wait "$pid" || status=$?
  trap - INT TERM
  if [ -t 2 ]; then printf '\r\033[K' >&2; fi
  if [ "$status" -eq 0 ]; then
    say "$what: done in $((SECONDS - started)) s"
  else
    grep -E -A 12 'FAILED:|error:|CMake Error|\*\*\*Failed|\*\*\*Timeout|\*\*\*Exception' "$log" | head -n 80 >&2 ||
      tail -n 40 "$log" >&2
    # ctest's own list, which the excerpt above may have cut off.
    sed -n '/The following tests FAILED/,$p' "$log" | head -n 60 >&2
    say "$what: FAILED after $((SECONDS - started)) s"
  fi
  rm -f "$log"
  return "$status"
}

# How many compilers at once: one per core, and at least 1.5 GB of memory for each.
jobs_for_machine() {
  local cores memory
  cores=$(nproc)
  memory=$(awk '/MemAvailable/ { print int($2 / 1572864) }' /proc/meminfo)
  [ "$memory" -ge 1 ] || memory=1
  echo $((cores < memory ? cores : memory))
}

# configure PRESET
configure() {
  quietly "Configuring $1" cmake --preset "$1" -S "$root"
}

# build PRESET [TARGET...]
build() {
  local preset=$1
  shift
  quietly "Building $preset" cmake --build "$root/build/$preset" -j "$(jobs_for_machine)" \
    ${1:+--target "$@"}
}
