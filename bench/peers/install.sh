#!/usr/bin/env bash
# Installs what run.sh measures with, and the peers: Debian's packages, and npm's into build/peers.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. cmake/packages.sh

packages=(valgrind python3 libcurl4-openssl-dev python3-aiohttp)
packages+=(golang-go golang-easyjson golang-github-gorilla-websocket-dev golang-github-mailru-easyjson-dev)
# With python3-munkres named, apt does not take scipy in its place, which would bring another Boost.
packages+=(python3-matplotlib python3-munkres)
# Node may be there from elsewhere.
command -v node >/dev/null || packages+=(nodejs)
# shellcheck disable=SC2086 # a list of words
install_missing $build_packages "${packages[@]}"

install_npm bench/peers build/peers
