#!/usr/bin/env bash
# Runs every line of the tour in README.md, as a newcomer would, against a demo on a fresh data directory.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
binary=${IMPRIMATUR_BINARY:-$PWD/build/release/imprimatur}
[[ -x $binary ]] || { echo "no binary at $binary; ./dev build makes it"; exit 77; }
command -v curl >/dev/null || { echo "curl is not installed"; exit 77; }

work=$(mktemp -d)
server=
stop_server() {
  [[ -z $server ]] || kill -TERM "$server" 2>/dev/null || true
  [[ -z $server ]] || wait "$server" || true
  server=
}
trap 'stop_server; rm -rf "$work"' EXIT

# block N: the Nth fenced block of the tour, for this server and this directory instead of the newcomer's.
block() {
  awk -v wanted="$1" '/^## /{ tour = /A tour/ } tour && /^```sh/ { number++; inside = 1; next }
    /^```/ { inside = 0 } tour && inside && number == wanted' README.md |
    sed "s,http://127.0.0.1:8080,$address,; s,build/demo,$work/demo,g; s,build/tour,$work/tour,g;
         s,\$PWD/build/release,$(dirname "$binary"),"
}

env -u IMPRIMATUR_BINARY "$binary" serve --demo --data "$work/demo" --listen 127.0.0.1:0 \
  >"$work/said" 2>"$work/log" &
server=$!
for _ in {1..300}; do
  grep -q 'Three commands to try' "$work/said" && break
  kill -0 "$server" 2>/dev/null || break
  sleep 0.1
done
grep -q 'Three commands to try' "$work/said" || { cat "$work/said" "$work/log"; exit 1; }
address=$(sed -n 's/^Listening on //p' "$work/said")
KEY=$(grep -o 'imp_[A-Za-z0-9_-]*' "$work/said" | head -n 1)
export KEY XDG_CONFIG_HOME=$work/config

{ echo 'set -euo pipefail'; block 1; block 2; block 3; } >"$work/tour.sh"
bash "$work/tour.sh" 2>&1 | tee "$work/out"
stop_server
{ echo "set -euo pipefail; export PATH=$(dirname "$binary"):\$PATH"; block 4; } >"$work/proof.sh"
[[ $(wc -l <"$work/proof.sh") -ge 4 ]] || { echo "README.md has no fourth block"; exit 1; }
bash "$work/proof.sh" 2>&1 | tee -a "$work/out"

# Not only that every line left with 0: that it did what the page says.
says() { grep -qF -- "$1" "$work/out" || { echo "the tour did not say: $1"; exit 1; }; }
says 'Cleo wrote it, so Cleo cannot approve it, admin or not.'
says 'Greet {{customer}} in one sentence.'
says 'Greet Ms Miller in one sentence.'
says 'warmly'
