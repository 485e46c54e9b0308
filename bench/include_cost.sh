#!/usr/bin/env bash
# How much longer a file takes to compile for including <plex/activities.hpp>, against the Asio headers that any
# interface of awaitables needs. User CPU time, medians, taking turns.
#
#   bench/include_cost.sh [ROUNDS]
set -euo pipefail
export LC_ALL=C # decimal points

rounds=${1:-5}
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
printf '#include <plex/activities.hpp>\n' >"$work/activities.cpp"
printf '#include <boost/asio/%s.hpp>\n' awaitable any_io_executor >"$work/awaitable.cpp"

TIMEFORMAT=%U
for ((round = 0; round != rounds; ++round)); do
  for file in activities awaitable; do
    # shellcheck disable=SC2086 # CXX may hold options
    { time ${CXX:-g++} -std=c++20 -O2 -I "$root/include" -c "$work/$file.cpp" -o "$work/$file.o"; } 2>>"$work/$file"
  done
done

median() { sort -g "$work/$1" | awk '{ v[NR] = $1 } END { print (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2 }'; }

awk -v rounds="$rounds" -v ours="$(median activities)" -v bare="$(median awaitable)" 'BEGIN {
  printf "{\"program\":\"include_cost\",\"count\":%d,\"seconds\":%.3f,\"awaitable_seconds\":%.3f,\"awaitable\":%.3f}\n",
    rounds, ours, bare, ours / bare }'
