#!/usr/bin/env bash
# Builds the benchmarks optimised, runs each beside its peers against bench_server, and prints one JSON object a line
# (bench/README.md); what goes on is told on stderr.
#
#   bench/run.sh [--quick] [--install] [--plot] [--only NAME,...]
#   bench/run.sh --renew-budget
#
#   --quick    five minutes: fewer rounds, fewer events
#   --install  first installs what is measured with, and the peers (the commands are shown)
#   --plot     draws what was measured, and two curves that it measures for this, into docs/
#   --only     these benches alone
#   --renew-budget  counts what bench.budget compares with, into bench/budget.json
#
# The test of this script sets PLEX_BENCH_PROGRAMS (a folder of programs already built) and PLEX_BENCH_COUNT (at most so
# many events).
set -euo pipefail
shopt -s inherit_errexit

cd "$(dirname "${BASH_SOURCE[0]}")/.."
. cmake/packages.sh

usage="usage: bench/run.sh [--quick] [--install] [--plot] [--only NAME,...] | --renew-budget"
install=false
passed=()
while (($#)); do
  case $1 in
    --install) install=true ;;
    --quick | --plot) passed+=("$1") ;;
    --only) passed+=("$1" "${2:?$usage}") && shift ;;
    --renew-budget)
      cmake --preset budget >&2 && cmake --build --preset budget -j "$(nproc)" >&2
      exec python3 -B bench/driver/budget.py --programs build/release/bench --renew
      ;;
    -h | --help) echo "$usage" && exit 0 ;;
    *) echo "$usage" >&2 && exit 2 ;;
  esac
  shift
done

if $install; then
  bench/peers/install.sh >&2
fi

programs=${PLEX_BENCH_PROGRAMS:-}
if [[ -z $programs ]]; then
  programs=build/release/bench
  {
    cmake --preset release
    cmake --build --preset release --target bench -j "$(nproc)"
    bench/peers/build.sh
  } >&2
fi

exec python3 -B bench/driver --programs "$programs" --peers build/peers "${passed[@]}"
