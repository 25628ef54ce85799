#!/bin/sh
# Speed and quality of the scanner on the development data: bench/scan.sh [DIRECTORY]
set -eu
cd "$(dirname "$0")/.."
cmake --preset bench >/dev/null
ninja -C build/bench scan_speed scan_quality >/dev/null
missed=0
build/bench/scan_speed "$@" || missed=1
build/bench/scan_quality "$@"
exit "$missed"
