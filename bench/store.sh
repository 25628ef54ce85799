#!/bin/sh
# Durable state changes at the store beside raw SQLite: bench/store.sh [SECONDS] [PAIRS]
set -eu
cd "$(dirname "$0")/.."
cmake --preset bench >/dev/null
ninja -C build/bench store_commits >/dev/null
build/bench/store_commits "$@"
