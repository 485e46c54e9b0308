#!/bin/sh
# Runs every test: installs what is missing (Debian 12), builds, and ends with ctest's summary.
#   tests/run.sh [--no-install] [--long] [PRESET...]
# The presets are those of CMakePresets.json; by default asan (g++, with UBSan: everything), tsan (clang: what has threads and
# coroutines), unit (g++, whole, as no sanitizer slows it down) and budget (g++, optimised: instructions and allocations of the hot
# paths, memory, benches, users' projects). `tests/run.sh dev` is the quick form: g++, and no more.
# `tests/run.sh package` builds the shared library and Debian packages of it, and users' projects with these; `tests/run.sh clang`
# everything with clang. --long runs these two too, and the long forms of the random tests, fuzzes each target for 30 seconds (tests/fuzz/run.sh),
# shows that the unit tests bite (tests/mutants/run.py), and measures what the tests reach (tests/coverage.sh).
set -eu
cd "$(dirname "$0")/.."
. cmake/packages.sh

install=yes
presets=
for argument in "$@"; do
    case "$argument" in
    --no-install) install=no ;;
    --long) export PLEX_TEST_LONG=1 ;;
    -*) sed -n '2,11p' "$0"; exit 2 ;;
    *) presets="$presets $argument" ;;
    esac
done
presets=${presets:-asan tsan unit budget${PLEX_TEST_LONG:+ clang package}}

if [ $install = yes ]; then
    compiler=
    case "$presets${PLEX_TEST_LONG:+ clang}" in *tsan* | *clang* | *coverage*) compiler="clang-19 libclang-rt-19-dev" ;; esac
    [ -z "${PLEX_TEST_LONG:-}" ] || compiler="$compiler llvm-19"
    services=
    case "$presets" in *asan* | *tsan* | *clang* | *package*)
        services="$service_packages $service_test_packages" ;;
    esac
    install_missing $build_packages $services $compiler $test_packages clang-format-19 doxygen valgrind pkg-config dpkg-dev file
    install_npm tests/npm build/npm
fi
run() {
    echo "+ $*"
    "$@"
}

echo "+ clang-format-19 --dry-run -Werror (every source file)"
git ls-files '*.cpp' '*.hpp' | xargs clang-format-19 --dry-run -Werror

failed=
for preset in $presets; do
    run cmake --preset "$preset" >/dev/null
    run cmake --build --preset "$preset"
done
for preset in $presets; do
    # More than there are cores, as most tests wait for time limits rather than work.
    run ctest --preset "$preset" -j "$((2 * $(nproc)))" || failed="$failed $preset"
done
if [ -n "${PLEX_TEST_LONG:-}" ]; then
    run tests/fuzz/run.sh --no-install 30 || failed="$failed fuzz"
    run tests/mutants/run.py || failed="$failed mutants"
    run env -u PLEX_TEST_LONG tests/coverage.sh --no-install || failed="$failed coverage" # the short forms reach the same
fi
if [ -n "$failed" ]; then
    echo "failed with:$failed" >&2
    exit 1
fi
