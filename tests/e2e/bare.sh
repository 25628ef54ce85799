#!/usr/bin/env bash
# Builds a bare Debian 12 (debootstrap's minbase and git, nothing else) in a temporary folder, clones this
# repository into it and runs ./dev there: what a stranger with a fresh machine sees. Wants root, debootstrap and
# a Debian mirror; not part of ./dev test.
#   sudo tests/e2e/bare.sh [--keep] [COMMAND OF ./dev ...]     (default: build)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
keep=no
if [[ ${1:-} == --keep ]]; then
  keep=yes
  shift
fi
(($# > 0)) || set -- build
((EUID == 0)) || { echo "bare.sh: needs root, for debootstrap and chroot" >&2; exit 3; }
command -v debootstrap >/dev/null || { echo "bare.sh: apt-get install debootstrap first" >&2; exit 3; }

root=$(mktemp -d "${TMPDIR:-/tmp}/imprimatur-bare.XXXXXX")
mounted=()
clean() {
  local at
  for at in "${mounted[@]}"; do umount "$at" 2>/dev/null || umount -l "$at" || true; done
  if [[ $keep == yes ]]; then echo "left in $root"; else rm -rf --one-file-system "$root"; fi
}
trap clean EXIT

# Mirror, proxy and trust of this machine's own apt: a bare root behind the same network needs the same.
mirror=$(apt-cache policy 2>/dev/null | awk '$2 ~ /^https?:/ && $3 ~ /^bookworm\/main/ { print $2; exit }')
proxy=$(apt-config dump --format '%v%n' Acquire::http::Proxy)
[[ -z $proxy ]] || export http_proxy=$proxy
start=$SECONDS
echo "-- a bare root in $root"
debootstrap --variant=minbase --include=git bookworm "$root" "${mirror:-http://deb.debian.org/debian}" >"$root.log" 2>&1 ||
  { tail -n 20 "$root.log"; exit 1; }
rm -f "$root.log"
cp -rL /etc/apt/sources.list.d/*.sources "$root/etc/apt/sources.list.d/" 2>/dev/null || true
[[ -z $proxy ]] || echo "Acquire::http::Proxy \"$proxy\";" >"$root/etc/apt/apt.conf.d/90proxy"
cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
# What every machine has, and a folder that only root may enter has not.
chmod 755 "$root"
mount -t proc proc "$root/proc" && mounted+=("$root/proc")
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts" && mounted+=("$root/dev/pts")
ln -sf pts/ptmx "$root/dev/ptmx"
mount -t tmpfs tmpfs "$root/dev/shm" && mounted+=("$root/dev/shm")
echo "   done, $((SECONDS - start)) s"
chroot "$root" dpkg-query -W | wc -l | sed 's/^/   packages in it: /'

git clone -q --no-hardlinks . "$root/imprimatur"
for command in "$@"; do
  start=$SECONDS
  echo "== ./dev $command"
  # shellcheck disable=SC2086  # a command may carry arguments
  chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb /imprimatur/dev $command </dev/null
  echo "== ./dev $command took $((SECONDS - start)) s"
done
