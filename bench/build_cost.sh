#!/usr/bin/env bash
# The library built from nothing, optimised, without ccache, two jobs: seconds, and the memory of its largest file.
#
#   bench/build_cost.sh [TARGET]
#
# TARGET is plex_activities where none is given; its test builds a smaller one.
set -euo pipefail
export LC_ALL=C

target=${1:-plex_activities}
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/units"

# Takes the compiler's place: the largest resident size of it and of what it starts, in KiB, before the file compiled.
cat >"$work/measured" <<'PYTHON'
#!/usr/bin/env python3
import os, sys, tempfile
arguments = sys.argv[1:]
status = os.spawnvp(os.P_WAIT, arguments[0], arguments)
if "-c" in arguments:
    import resource
    handle, _ = tempfile.mkstemp(dir=os.path.join(os.path.dirname(sys.argv[0]), "units"))
    kib = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    os.write(handle, f"{kib} {arguments[arguments.index('-c') + 1]}\n".encode())
sys.exit(status if status >= 0 else 1)
PYTHON
chmod +x "$work/measured"

cmake -G Ninja -S "$root" -B "$work/build" -D CMAKE_BUILD_TYPE=Release -D CMAKE_CXX_COMPILER="${CXX:-g++}" \
  -D CMAKE_CXX_COMPILER_LAUNCHER="$work/measured" -D PLEX_BUILD_TESTS=OFF >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }

TIMEFORMAT=%R
seconds=$({ time cmake --build "$work/build" --target "$target" -j 2 >"$work/log" 2>&1; } 2>&1) || { cat "$work/log" >&2; exit 1; }

cat "$work"/units/* | sort -n | awk -v seconds="$seconds" -v root="$root/" '
  { kib = $1; unit = $2 }
  END {
    sub(root, "", unit)
    printf "{\"program\":\"build_cost\",\"count\":%d,\"seconds\":%.1f,\"mib_largest_unit\":%.0f,\"largest_unit\":\"%s\"}\n",
      NR, seconds, kib / 1024, unit
  }'
