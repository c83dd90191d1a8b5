# Reads C++ sources; prints violations of the rules of floors, purity and the door.

BEGIN {
  low = " base paxos registry cluster storage guardian net door caf "
  may["base"] = " base "
  may["paxos"] = " base paxos "
  may["registry"] = " base registry "
  may["storage"] = " base paxos registry storage "
  may["cluster"] = " base paxos registry cluster "
  may["guardian"] = " base registry cluster guardian "
  may["net"] = low "cafio "
  may["actors"] = low "actors "
  may["door"] = " door caf "
  may["examples"] = " examples door caf cafio "
  may["tools"] = low "cafio actors tools "
  may["test"] = low "cafio actors tools test "

  split("base paxos registry cluster", names, " ")
  for (i in names) pure[names[i]] = 1
  headers = "^(atomic|barrier|chrono_clock|condition_variable|cstdio|ctime|filesystem|fstream|future|iostream|latch|" \
            "mutex|random|semaphore|shared_mutex|stop_token|syncstream|thread|unordered_map|unordered_set|" \
            "time\\.h|stdio\\.h|unistd\\.h|pthread\\.h|signal\\.h|csignal|fcntl\\.h|sys/.*|netinet/.*|arpa/.*|" \
            "linux/.*|spdlog/.*|sqlite3\\.h|fmt/.*|boost/.*)$"
  words = "system_clock|steady_clock|high_resolution_clock|utc_clock|file_clock|clock_gettime|gettimeofday|" \
          "random_device|mt19937|thread_local|unordered_map|unordered_set|unordered_multimap|" \
          "unordered_multiset|getenv|setenv"
  std_words = "jthread|thread|this_thread|atomic|atomic_ref|mutex|shared_mutex|recursive_mutex|condition_variable|" \
              "scoped_lock|lock_guard|unique_lock|shared_lock|future|promise|async|ifstream|ofstream|fstream|" \
              "cout|cerr|clog|cin|filesystem|rand|time|fopen|printf|call_once|once_flag"
  # `open(` may be a method of ours, `::open(` is the system's; test/house/symbols.sh sees what is called in the end.
  calls = "::(time|rand|random|open|socket|connect|bind|listen|read|write|send|recv|close|fork)|srand|fopen|usleep|" \
          "nanosleep|pthread_create|epoll_wait|sleep_for|sleep_until"
}

FNR == 1 {
  floor = floor_of(FILENAME)
  in_comment = 0
}

{ line = strip($0) }

line ~ /^ *# *include/ {
  target = $0
  sub(/^ *# *include *[<"]/, "", target)
  sub(/[>"].*$/, "", target)
  quoted = ($0 ~ /# *include *"/)
  check_include(target, quoted)
  next
}

floor in pure {
  # Words with their neighbours, so that `run_time` or `x.time` is not `time`.
  if (match(line, "(^|[^A-Za-z0-9_])(" words ")([^A-Za-z0-9_]|$)"))
    report("purity", "a pure floor uses " token())
  else if (match(line, "(^|[^A-Za-z0-9_])std::(" std_words ")([^A-Za-z0-9_]|$)"))
    report("purity", "a pure floor uses " token())
  else if (match(line, "(^|[^A-Za-z0-9_:])(" calls ")\\("))
    report("purity", "a pure floor calls " token())
  else if (match(line, /(^|[^A-Za-z0-9_])caf::/))
    report("purity", "a pure floor uses caf")
}

function floor_of(path) {
  if (path ~ /^net\/guardian\//) return "guardian"
  if (path ~ /^libpaxtor\/include\//) return "door"
  if (path ~ /^libpaxtor\//) {
    sub(/^libpaxtor\//, "", path)
    sub(/\/.*/, "", path)
    return path
  }
  sub(/\/.*/, "", path)
  return path
}

function check_include(target, quoted,    to) {
  if (quoted) to = floor_of(target)
  else if (target ~ /^paxtor\//) to = "door"
  else if (target ~ /^caf\/(io|openssl)(\/|$)/) to = "cafio"
  else if (target ~ /^caf\//) to = "caf"
  else {
    if ((floor in pure) && target ~ headers && !(FILENAME == "libpaxtor/base/check.cpp" && target == "cstdio"))
      report("purity", "a pure floor includes <" target ">")
    return
  }
  if (FILENAME == "tools/sim_main.cpp" && to == "test") return  # the simulator lives in test/sim
  if (!(floor in may)) report("floor", "no floor is called " floor)
  else if (floor == "door" && quoted) report("door", "a public header includes \"" target "\"")
  else if (index(may[floor], " " to " ") == 0)
    report("floor", floor " includes " target ", which is " to)
}

function token(    text) {
  text = substr(line, RSTART, RLENGTH)
  gsub(/^[^A-Za-z_]+|[^A-Za-z0-9_]+$/, "", text)
  return text
}

function report(rule, text) {
  print FILENAME ":" FNR ": " rule ": " text
}

# The line without comments, string and character literals. Raw strings are not known: keep them out of pure floors.
function strip(text,    out, at, two) {
  out = ""
  while (text != "") {
    if (in_comment) {
      at = index(text, "*/")
      if (at == 0) return out
      text = substr(text, at + 2)
      in_comment = 0
      continue
    }
    if (!match(text, /\/\/|\/\*|"|'/)) return out text
    two = substr(text, RSTART, 2)
    out = out substr(text, 1, RSTART - 1)
    if (two == "//") return out
    if (two == "/*") {
      in_comment = 1
      text = substr(text, RSTART + 2)
    } else if (substr(two, 1, 1) == "'" && out ~ /[0-9a-fA-F]$/) {
      text = substr(text, RSTART + 1)  # a digit separator
    } else {
      text = after_literal(substr(text, RSTART + 1), substr(two, 1, 1))
    }
  }
  return out
}

function after_literal(text, quote,    i, c) {
  for (i = 1; i <= length(text); i++) {
    c = substr(text, i, 1)
    if (c == "\\") i++
    else if (c == quote) return substr(text, i + 1)
  }
  return ""
}
