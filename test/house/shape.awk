# Reads code of any kind; prints violations of the rules of size and form.

BEGIN {
  max_lines = 500
  max_columns = 100  # of C++; scripts have a little more
  # Spelled so that this file does not find itself.
  marker = "(^|[^A-Za-z])(TO" "DO|FIX" "ME|XX" "X|HA" "CK)([^A-Za-z]|$)"
}

FNR == 1 { finish() }

{
  name = FILENAME
  lines = FNR
  if ($0 ~ /^ *# *pragma +once/) once = 1
  text = $0
  gsub(/[\200-\277]/, "", text)  # one per character, not per byte
  most = FILENAME ~ /\.[hc]pp$/ ? max_columns : max_columns + 20
  if (length(text) > most) report("columns", length(text) " columns, " most " at most")
  if ($0 ~ /\t/) report("tab", "a tab")
  if ($0 ~ /[ \t\r]$/) report("space", "white space at the end of the line")
  if ($0 ~ marker) report("marker", "a note to come back: do it, or open an issue")
}

END { finish() }

function finish() {
  if (lines > max_lines) print name ":" lines ": length: " lines " lines, " max_lines " at most"
  if (name ~ /\.hpp$/ && !once) print name ":1: once: a header without #pragma once"
  lines = 0
  once = 0
}

function report(rule, text) {
  print FILENAME ":" FNR ": " rule ": " text
}
