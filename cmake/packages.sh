# Sourced by the scripts: Debian packages that are missing are installed, and the command is shown first.

# What building the library and the command takes.
build_packages="g++ cmake ninja-build ccache libboost1.81-dev libboost-json1.81-dev libboost-url1.81-dev libssl-dev catch2 libcli11-dev"
# And what the services take beside (PLEX_BUILD_SERVICES).
service_packages="prometheus-cpp-dev libhiredis-dev libpaho-mqtt-dev"
# What the tests take; those of the services have peers of their own.
test_packages="openssl python3 python3-aiohttp nodejs node-ws node-eventsource nginx-light haproxy tinyproxy-bin groff-base mandoc zsh"
service_test_packages="redis-server mosquitto prometheus chromium chromium-driver iproute2 systemd
    python3-selenium python3-redis python3-paho-mqtt python3-jsonschema"

install_missing() {
    missing=
    for package in "$@"; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing="$missing $package"
    done
    [ -n "$missing" ] || return 0
    as_root=
    [ "$(id -u)" = 0 ] || as_root=sudo
    command="env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends$missing"
    echo "+ $as_root apt-get update && $as_root $command"
    $as_root apt-get update -qq && $as_root $command >"${TMPDIR:-/tmp}/plex-activities-install.$$" 2>&1 || {
        tail -n 20 "${TMPDIR:-/tmp}/plex-activities-install.$$"
        echo "the packages could not be installed" >&2
        return 1
    }
    rm -f "${TMPDIR:-/tmp}/plex-activities-install.$$"
}

# What tests and benchmarks take from npm: install_npm FOLDER INTO, where FOLDER has a package.json with its lock file.
install_npm() {
    # Node may be there from elsewhere, with an npm of its own.
    command -v npm >/dev/null || install_missing npm
    mkdir -p "$2"
    cp "$1/package.json" "$1/package-lock.json" "$1/.npmrc" "$2/"
    # Only what differs: npm ci begins by removing all that is there.
    if ! cmp -s "$1/package-lock.json" "$2/installed-lock.json"; then
        echo "+ npm ci (in $2)"
        (cd "$2" && npm ci) && cp "$1/package-lock.json" "$2/installed-lock.json"
    fi
}

# Objects are found again by a clone in another folder.
export CCACHE_BASEDIR="$PWD" CCACHE_NOHASHDIR=1
