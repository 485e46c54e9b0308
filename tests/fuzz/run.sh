#!/bin/sh
# Fuzzes: builds with libFuzzer and the sanitizers, then lets each target run, as many at once as there are cores.
#   tests/fuzz/run.sh [--no-install] [SECONDS [TARGET...]]      30 seconds and every target by default
# What is found lies in build/fuzz/findings, new inputs in build/fuzz/corpus. A finding becomes a unit test and its input
# a file of tests/fuzz/corpus/TARGET; `build/fuzz/tests/fuzz/fuzz_TARGET FILE` plays it again.
set -eu
cd "$(dirname "$0")/../.."
. cmake/packages.sh

if [ "${1:-}" = --no-install ]; then
    shift
else
    install_missing $build_packages clang-19 libclang-rt-19-dev
fi
case "${1:-30}" in *[!0-9]*) sed -n '2,5p' "$0"; exit 2 ;; esac
seconds=${1:-30}
[ $# = 0 ] || shift
targets=${*:-$(ls tests/fuzz/corpus)}

cmake --preset fuzz >/dev/null
cmake --build --preset fuzz
mkdir -p build/fuzz/findings

# Its output stays beside its findings; one line is shown.
cat >build/fuzz/fuzz_one.sh <<'END'
target=$1 seconds=$2 log=build/fuzz/findings/$1.log
mkdir -p "build/fuzz/corpus/$target"
export ASAN_OPTIONS=detect_stack_use_after_return=1 UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
if "build/fuzz/tests/fuzz/fuzz_$target" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=3000 -print_final_stats=1 \
    -artifact_prefix="build/fuzz/findings/$target-" "build/fuzz/corpus/$target" "tests/fuzz/corpus/$target" >"$log" 2>&1
then
    echo "$target: nothing found in $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") executions"
else
    grep -e 'broken promise' -e 'ERROR' -e 'runtime error' -e 'Test unit written' "$log" || tail -n 20 "$log"
    echo "$target: FOUND something, see $log"
    exit 1
fi
END
printf '%s\n' $targets | xargs -P "$(nproc)" -I '{}' sh build/fuzz/fuzz_one.sh '{}' "$seconds"
