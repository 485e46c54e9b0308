#!/bin/sh
# Runs every test instrumented by clang, and prints what lines and branches of each folder they reach (gcov does not see
# coroutines' bodies). tests/coverage.md names what is not reached and why.
#   tests/coverage.sh [--no-install] [--lines FOLDER]    with the lines of one folder that no test reaches
# Fails where lines of src/protocol or src/sync are reached to less than 95 %, or all of src, tools and include to less
# than 90 %.
set -eu
cd "$(dirname "$0")/.."
. cmake/packages.sh

install=yes
lines=
while [ $# != 0 ]; do
    case "$1" in
    --no-install) install=no ;;
    --lines) lines=$2; shift ;;
    *) sed -n '2,7p' "$0"; exit 2 ;;
    esac
    shift
done
if [ $install = yes ]; then
    install_missing $build_packages $service_packages $test_packages $service_test_packages clang-19 libclang-rt-19-dev llvm-19
    install_npm tests/npm build/npm
fi

build=build/coverage
cmake --preset coverage >/dev/null
cmake --build --preset coverage
rm -rf $build/profiles
# A file for each program and process, as many run at once; %c would not see what ends by a signal.
LLVM_PROFILE_FILE="$PWD/$build/profiles/%p-%m.profraw" ctest --preset coverage -j "$((2 * $(nproc)))" || failed=yes
# What the tests of the man page and the completion look at was made by the build.
LLVM_PROFILE_FILE="$PWD/$build/profiles/%p-%m.profraw" $build/tools/plex_pages $build/tools
# One that was killed while it wrote its file has left half of it.
llvm-profdata-19 merge -failure-mode=all -sparse -o $build/all.profdata $build/profiles

objects=
for program in tests/unit tests/out_of_memory tests/out_of_memory_client tests/memory tests/integration tests/command/command_unit \
    tests/services/services tools/plex-activities tools/plex_pages tools/dashboard/plex-dashboard tools/relay/plex-relay tools/mqtt/plex-mqtt \
    $(cd $build && ls tests/fuzz/fuzz_* examples/* 2>/dev/null); do
    [ -f "$build/$program" ] && [ -x "$build/$program" ] && objects="$objects -object $build/$program"
done
llvm-cov-19 export -summary-only -instr-profile $build/all.profdata $objects \
    -ignore-filename-regex '/(tests|examples|bench|build)/|^/usr/' >$build/coverage.json
python3 tests/coverage_summary.py $build/coverage.json || failed=yes
if [ -n "$lines" ]; then
    # shellcheck disable=SC2086,SC2046 # lists of words
    llvm-cov-19 show -instr-profile $build/all.profdata $objects -sources $(find "$lines" -name "*.?pp") |
        grep -E '^/|^[^|]*\| +0\|'
fi
[ -z "${failed:-}" ]
