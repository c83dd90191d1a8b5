#!/usr/bin/env bash
# The rules of the house, checked on the sources under ROOT: who may include whom, what the pure floors may use, the
# size of files, a README in every folder. Prints one line per violation: FILE:LINE: RULE: what is wrong.
# Usage: house.sh ROOT
set -euo pipefail
export LC_ALL=C
root=${1:?usage: house.sh ROOT}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$root"

# Everything that is ours: not what was built, not what is hidden.
all_files=$(find . \( -name '.?*' -o -name 'build' -o -name 'build-*' \) -prune -o -type f -print |
            sed 's|^\./||' | sort)
cpp_files=$(grep -E '\.(hpp|cpp)$' <<<"$all_files" || true)
code_files=$(grep -E '\.(hpp|cpp|cmake|sh|awk)$|(^|/)CMakeLists\.txt$|^tools/(demo|check)$' <<<"$all_files" || true)

violations() {
  # Floors, purity and door: one pass over the C++ sources.
  [ -z "$cpp_files" ] || xargs -d '\n' awk -f "$here/floors.awk" <<<"$cpp_files"
  [ -z "$code_files" ] || xargs -d '\n' awk -f "$here/shape.awk" <<<"$code_files"

  # Quoted includes start at the root and name a file that exists.
  [ -z "$cpp_files" ] || xargs -d '\n' grep -HnE '^ *# *include *"' <<<"$cpp_files" |
    while IFS=: read -r file line text; do
      path=${text#*\"}
      path=${path%%\"*}
      [ -f "$path" ] || echo "$file:$line: path: \"$path\" is no file under the root"
    done

  # Every folder that holds files has its page. Headers below include/ are described one folder up.
  local folder
  while read -r folder; do
    case $folder in
      libpaxtor/include/paxtor) folder=libpaxtor/include ;;
    esac
    [ -f "$folder/README.md" ] || echo "$folder:1: readme: the folder has no README.md"
  done < <(sed -n 's|/[^/]*$||p' <<<"$all_files" | sort -u)
}

found=$(violations)
count=$(wc -w <<<"$cpp_files")
if [ -n "$found" ]; then
  echo "$found"
  echo "house: $(wc -l <<<"$found") violations"
  exit 1
fi
if [ "$count" -eq 0 ]; then
  echo "house: no C++ file under $root"
  exit 1
fi
echo "house: $count C++ files, no violation"
