#!/usr/bin/env bash
# Builds the benchmarks optimised, runs each beside its peers against bench_server, and prints one JSON object a line;
# what goes on is told on stderr.
#
#   bench/run.sh [--quick] [--install]
#
#   --quick    under a minute after the build: fewer rounds, fewer events
#   --install  first installs what is measured with (apt-get; the command is shown)
#
# The test of this script sets PLEX_BENCH_PROGRAMS (a folder of programs already built) and PLEX_BENCH_COUNT (events).
set -euo pipefail
shopt -s inherit_errexit

usage="usage: bench/run.sh [--quick] [--install]"
packages=(valgrind)
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
time_limit=300 # seconds a program

say() { printf '%s\n' "$*" >&2; }

quick=false
install=false
for option in "$@"; do
  case $option in
    --quick) quick=true ;;
    --install) install=true ;;
    -h | --help) echo "$usage"; exit 0 ;;
    *) say "$usage"; exit 2 ;;
  esac
done

rounds=5 feed_count=1000000 list_count=60000 decode_count=1000000 callgrind_count=20000
if $quick; then
  rounds=3 feed_count=400000 list_count=15000 decode_count=400000 callgrind_count=5000
fi
if [[ -n ${PLEX_BENCH_COUNT:-} ]]; then
  rounds=1
  feed_count=$PLEX_BENCH_COUNT list_count=$PLEX_BENCH_COUNT
  decode_count=$PLEX_BENCH_COUNT callgrind_count=$PLEX_BENCH_COUNT
fi

if $install; then
  command=(apt-get install -y "${packages[@]}")
  ((EUID == 0)) || command=(sudo "${command[@]}")
  say "${command[*]}"
  "${command[@]}" >&2
fi

programs=${PLEX_BENCH_PROGRAMS:-}
if [[ -z $programs ]]; then
  (cd "$root" && cmake --preset release && cmake --build --preset release --target bench -j "$(nproc)") >&2
  programs=$root/build/release/bench
fi

skipped=()
command -v valgrind >/dev/null || skipped+=(callgrind)

work=$(mktemp -d)
awake=""
trap 'rm -rf "$work"; [[ -z $awake ]] || kill "$awake"' EXIT

# The server on the last core that we may use, what is measured on the first.
client_core=() server_core=()
if command -v taskset >/dev/null && command -v chrt >/dev/null; then
  cores=$(taskset -cp $$)
  cores=${cores##*: }
  client_core=(taskset -c "${cores%%[,-]*}")
  server_core=(taskset -c "${cores##*[,-]}")
  # On a virtual machine a request is quicker than going to sleep and waking up, which count as the client's time and
  # vary twofold with the neighbours. What runs only while its core has nothing else to do keeps the core awake.
  "${client_core[@]}" chrt --idle 0 bash -c "while kill -0 $$; do :; done" 2>/dev/null &
  awake=$!
fi

# It ends when its input does: when this script ends, however that happens.
coproc server { exec "${server_core[@]}" "$programs/bench_server"; }
if ! read -r port <&"${server[0]}"; then
  say "bench_server did not start"
  exit 1
fi

# run PROGRAM ARGUMENT...: its JSON line
run() { timeout "$time_limit" "${client_core[@]}" "$programs/bench_$1" "${@:2}"; }

# median FIELD PROGRAM: over the rounds
median() {
  sed -E "s/.*\"$1\":([0-9.e+-]+).*/\1/" "$work/$2" | sort -g |
    awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
}

largest() { sed -E "s/.*\"$1\":([0-9]+).*/\1/" "$work/$2" | sort -n | tail -n 1; }

# callgrind PROGRAM ARGUMENT...: instructions of the whole run
callgrind() {
  if ! timeout "$time_limit" "${client_core[@]}" valgrind --tool=callgrind --callgrind-out-file="$work/callgrind" \
    "$programs/bench_$1" "${@:2}" >"$work/log" 2>&1; then
    cat "$work/log" >&2
    return 1
  fi
  awk '/^totals:/ { print $2 }' "$work/callgrind"
}

# instructions PROGRAM ARGUMENT...: of each event, so that start and warm-up cancel out
instructions() {
  local once twice
  once=$(callgrind "$@" "$callgrind_count")
  twice=$(callgrind "$@" $((2 * callgrind_count)))
  awk -v a="$once" -v b="$twice" -v n="$callgrind_count" 'BEGIN { printf "%.0f", (b - a) / n }'
}

# bench UNIT COUNT "PROGRAM ARGUMENT..." ["PEER ARGUMENT..."...]: its line. Each program gets the count as last argument;
# ours and its peers take turns, so that all see the same neighbours.
bench() {
  local unit=$1 count=$2 ours=${3%% *} each command round line value ns vs="" conflated="" missing=""
  shift 2
  rm -f "$work"/*
  say "$ours: $rounds rounds of $count"
  for ((round = 0; round != rounds; ++round)); do
    for command in "$@"; do
      # shellcheck disable=SC2086 # a command is split into its words
      run $command "$count" >>"$work/${command%% *}"
    done
  done

  value=$(median per_second "$ours")
  ns=$(median ns_each "$ours")
  for command in "${@:2}"; do
    each=$(median ns_each "${command%% *}")
    say "  ${command%% *}: $each ns each, $(median per_second "${command%% *}") in a second"
    vs+=${vs:+,}\"${command%% *}\":$(awk -v peer="$each" -v own="$ns" 'BEGIN { printf "%.2f", peer / own }')
  done
  line=$(printf '{"bench":"%s","unit":"%s","value":%.0f,"ns_per_event":%.1f,"vs":{%s},"allocs_per_event":%.4g' \
    "$ours" "$unit" "$value" "$ns" "$vs" "$(median allocs_each "$ours")")

  if [[ ${skipped[*]} == *callgrind* ]]; then
    missing=\"callgrind\"
  else
    # shellcheck disable=SC2086
    line+=",\"instructions_per_event\":$(instructions $1)"
  fi
  if grep -q '"conflated"' "$work/$ours"; then
    conflated=$(largest conflated "$ours")
    line+=",\"conflated\":$conflated"
  fi
  if [[ -n $missing ]]; then
    line+=",\"skipped\":[$missing]"
  fi
  echo "$line}"
}

for what in feed list; do
  count=${what}_count
  say "the server's ceiling: $(run ceiling $what "$port" "${!count}")"
done

bench requests/s "$list_count" "list $port" "beast_request_loop $port"
bench messages/s "$decode_count" decode "beast_read_loop $port"
bench events/s "$feed_count" "feed $port" "beast_read_loop $port"
