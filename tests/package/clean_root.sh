#!/bin/sh
# For a Debian 12 root that can be thrown away (a container, a chroot), as root: installs the packages that cpack has made,
# which must bring all that they need, builds a user's project with CMake and with pkg-config, runs it, and takes them away.
#   tests/package/clean_root.sh FOLDER_WITH_DEBS
set -eu
here=$(cd "$(dirname "$0")" && pwd)
debs=$(cd "$1" && pwd)
library=$(basename "$debs"/libplex-activities[0-9]*.deb | sed 's/_.*//')
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export DEBIAN_FRONTEND=noninteractive
apt() {
    echo "+ apt-get $*"
    apt-get -qq -o Dpkg::Use-Pty=0 "$@" >"$work/log" 2>&1 || { tail -n 30 "$work/log" >&2; exit 1; }
}
run() { echo "+ $*" >&2; "$@"; }

apt update
# The library and the command come alone first: what they need at run time must not hang on the headers' packages.
apt install -y --no-install-recommends "$debs/$library"_*.deb "$debs"/plex-activities_*.deb
run plex-activities --version
dpkg -L plex-activities | grep 'man1/plex-activities\.1\.gz$' # a package's pages are compressed
run plex-activities demo --json | tail -n 1
apt install -y --no-install-recommends "$debs"/libplex-activities-dev_*.deb
apt install -y --no-install-recommends g++ cmake make pkg-config

run cmake -S "$here/user" -B "$work/build" -D WAY=find_package >/dev/null
run cmake --build "$work/build" >/dev/null
run "$work/build/user"
flags=$(pkg-config --cflags --libs plex_testing plex_activities)
# shellcheck disable=SC2086 # several words
run c++ -std=c++20 "$here/user/main.cpp" $flags -o "$work/with_pkg_config"
run "$work/with_pkg_config"
ldd "$work/build/user" | grep libplex_activities

apt purge -y libplex-activities-dev plex-activities "$library"
left=$(find /usr -name '*plex[_-]activities*' | head)
[ -z "$left" ] || { echo "left behind: $left" >&2; exit 1; }
echo "the packages install, work and go"
