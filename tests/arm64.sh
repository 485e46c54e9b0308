#!/bin/sh
# Compiles src/protocol, src/sync and their unit tests for arm64, and runs them by qemu (Debian 12: g++-aarch64-linux-gnu,
# qemu-user). There the plain loops run that stand beside those of SSE2. Boost and Catch2 2 are taken as sources.
#   tests/arm64.sh [FILTER_OF_CATCH2...]        by default all but the long ones
set -eu
cd "$(dirname "$0")/.."
out=$PWD/build/arm64
mkdir -p "$out/include"
ln -sfn /usr/include/boost "$out/include/boost"
ln -sfn /usr/include/catch2 "$out/include/catch2"
printf '#include <boost/json/src.hpp>\n#include <boost/url/src.hpp>\n' >"$out/boost.cpp"
printf '#define CATCH_CONFIG_MAIN\n#include <catch2/catch.hpp>\n' >"$out/main.cpp"
cat >"$out/compile" <<EOF
#!/bin/sh
object=$out/\$(echo "\$1" | tr / _).o
[ "\$object" -nt "\$1" ] || exec aarch64-linux-gnu-g++ -std=c++20 -Og -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror \\
    -DBOOST_JSON_STATIC_LINK -DBOOST_URL_STATIC_LINK -DPLEX_TEST_DATA="\"$PWD/tests/data\"" -Iinclude -Isrc -Itests \\
    -isystem $out/include -c "\$1" -o "\$object"
EOF
chmod +x "$out/compile"
rm -f "$out"/*.o # what a header has changed is not looked for
ls src/protocol/*.cpp src/sync/*.cpp src/abi.cpp src/activity.cpp src/block_recycler.cpp src/error.cpp src/json.cpp \
    tests/unit/*.cpp "$out"/*.cpp | xargs -P "$(nproc)" -n 1 "$out/compile"
aarch64-linux-gnu-g++ "$out"/*.o -pthread -o "$out/unit"
[ $# -gt 0 ] || set -- '~[#model_random_test]~[#model_exhaustive_test]~[#decoder_differential_test]'
QEMU_LD_PREFIX=/usr/aarch64-linux-gnu qemu-aarch64 "$out/unit" --filenames-as-tags "$@"
