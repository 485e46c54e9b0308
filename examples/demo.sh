#!/bin/sh
# Shows the whole of it in one minute: installs what is missing (Debian 12), builds, and runs the demo against a server
# inside the process. Leaves the command at build/release/tools/plex-activities.
#   examples/demo.sh [--no-install] [arguments of `plex-activities demo`]
set -eu
cd "$(dirname "$0")/.."
. cmake/packages.sh

if [ "${1:-}" = --no-install ]; then
    shift
else
    install_missing $build_packages
fi
run() {
    echo "+ $*"
    "$@"
}
run cmake --preset release >/dev/null
run cmake --build --preset release --target plex-activities
run build/release/tools/plex-activities demo "$@"
