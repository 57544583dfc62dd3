#!/bin/sh
# Make .venv with a Python that the locked requirements run on, and make this
# checkout importable there as the collection gpuaas.parity.
#   requirements/venv.sh runtime|test|control-plane|gpu-fleet|galaxy|mutation
# The tests of the control plane and of the GPU fleet have environments of their own, as their images have,
# and so have Galaxy's importer, whose requirements contradict the others, and
# Cosmic Ray, which starts the tests in theirs.
set -eu

checkout=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
minimum=12
case $1 in
  runtime | test) venv=$checkout/.venv lock=requirements/$1.txt ;;
  control-plane) venv=$checkout/.cache/control-plane-venv lock=control_plane/test-requirements.txt ;;
  gpu-fleet) venv=$checkout/.cache/gpu-fleet-venv lock=gpu_fleet/test-requirements.txt ;;
  galaxy) venv=$checkout/.cache/galaxy-venv lock=requirements/galaxy.txt ;;
  mutation) venv=$checkout/.cache/mutation-venv lock=requirements/mutation.txt ;;
  *) printf 'requirements/venv.sh: no set %s\n' "$1" >&2 && exit 64 ;;
esac

fail() {
  printf '%s: %s\n  -> %s\n' "$1" "$2" "$3" >&2
  exit 1
}

# As _run/given.py has it, for a checkout in which nothing can be started yet.
case $checkout in
  *[!A-Za-z0-9/._@+~-]*) fail PATH_UNUSABLE "the path $checkout contains a space or another character that Docker, Compose or a build cannot take" \
    'move the folder to a path of letters a-z, digits and . _ @ + ~ -' ;;
esac

suits() {
  "$1" -c "import sys, venv, ensurepip; sys.exit(sys.version_info[:2] < (3, $minimum))" >/dev/null 2>&1
}

# By version, not by name: the python3 first on PATH may be older than others beside it.
find_python() {
  for candidate in python3.14 python3.13 python3.12 python3 \
    "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.1[2-9]*/bin/python3; do
    if suits "$candidate"; then
      command -v "$candidate"
      return
    fi
  done
  fail PYTHON_MISSING "no Python 3.$minimum or newer with venv among $(command -v python3 || echo 'no python3 at all')" \
    'apt-get install python3 python3-venv   # or: pyenv install 3.13'
}

# An interpreter that went away leaves links that lead nowhere.
if [ -d "$venv" ] && ! suits "$venv/bin/python"; then
  rm -rf "$venv"
fi
if [ ! -d "$venv" ]; then
  python=$(find_python)
  printf 'Python environment %s from %s\n' "${venv#"$checkout"/}" "$python"
  "$python" -m venv "$venv"
fi

# pip trusts its own CA list; behind a TLS-inspecting proxy it must trust the system's.
if [ -z "${PIP_CERT:-}" ] && [ -r /etc/ssl/certs/ca-certificates.crt ]; then
  PIP_CERT=/etc/ssl/certs/ca-certificates.crt
  export PIP_CERT
fi
printf 'Installing %s (hash-locked; a minute or two the first time)\n' "$lock"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes \
  --requirement "$checkout/$lock" ||
  fail REQUIREMENTS_FAILED "pip could not install $lock" 'read the message above; check the package index that pip is configured for'

case $1 in control-plane | gpu-fleet | galaxy | mutation) exit 0 ;; esac
site=$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
mkdir -p "$site/ansible_collections/gpuaas"
ln -sfn "$checkout" "$site/ansible_collections/gpuaas/parity"
