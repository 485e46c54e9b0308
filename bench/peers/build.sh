#!/usr/bin/env bash
# Builds the peer in Go, from Debian's packages alone; where they are missing, says so and builds nothing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

libraries=/usr/share/gocode # where Debian puts them
for needed in go easyjson; do
  command -v "$needed" >/dev/null || { echo "no $needed: the peer in Go is not built"; exit 0; }
done
for needed in gorilla/websocket mailru/easyjson; do
  [[ -d $libraries/src/github.com/$needed ]] || { echo "no $needed: the peer in Go is not built"; exit 0; }
done

mkdir -p build/peers/go/src
cp -r bench/peers/go_gorilla build/peers/go/src/
export GO111MODULE=off GOFLAGS='' GOPATH=$PWD/build/peers/go:$libraries
cd build/peers/go/src/go_gorilla
easyjson message/message.go
go build -o ../../../go_gorilla .
