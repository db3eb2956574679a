#!/bin/sh
# Installs Debian packages that the tests use as peers. Arguments: package names. Needs root on Debian or its kin.
set -eu

[ "$#" -gt 0 ] || { echo "usage: tools/install-peers.sh PACKAGE..." >&2; exit 2; }
[ "$(id -u)" = 0 ] || { echo "installing packages needs root: sudo apt-get install $*" >&2; exit 1; }
command -v apt-get >/dev/null || { echo "no apt-get on this machine; install by hand: $*" >&2; exit 1; }

export DEBIAN_FRONTEND=noninteractive
install() { apt-get install -y --no-install-recommends "$@" </dev/null; }
# The lists of packages may be of yesterday, or not there yet.
install "$@" || { apt-get update </dev/null && install "$@"; }
