#!/usr/bin/env bash
# The code that README.md shows is code that is compiled and run: each block that follows a line
#   <!-- from examples/NAME.cpp -->
# stands in that file word for word. Leading white space may differ, since a block is not indented.
# Usage: quotes.sh ROOT
set -euo pipefail
export LC_ALL=C
cd "${1:?usage: quotes.sh ROOT}"

awk '
  function trim(text) { gsub(/^[ \t]+|[ \t]+$/, "", text); return text }
  function load(path,    line, all) {
    all = "\n"
    while ((getline line < path) > 0) all = all trim(line) "\n"
    close(path)
    return all
  }
  /^<!-- from / { source = $3; at = FNR; next }
  source != "" && /^```/ {
    if (!open) { open = 1; block = "\n"; next }
    open = 0
    blocks++
    if (length(block) < 3) { print FILENAME ":" at ": quotes: the block is empty"; bad = 1 }
    else if (index(load(source), block) == 0) {
      print FILENAME ":" at ": quotes: the block does not stand in " source
      bad = 1
    }
    source = ""
    next
  }
  open { block = block trim($0) "\n"; next }
  source != "" && !/^$/ { print FILENAME ":" FNR ": quotes: no code block after the mark"; bad = 1; source = "" }
  /^```cpp/ { print FILENAME ":" FNR ": quotes: C++ that is from no file"; bad = 1 }
  END {
    if (source != "") { print FILENAME ":" at ": quotes: no code block after the mark"; bad = 1 }
    if (blocks == 0) { print FILENAME ":1: quotes: quotes nothing"; bad = 1 }
    else if (!bad) print "house: " blocks " blocks of README.md stand in the examples"
    exit bad
  }
' README.md
