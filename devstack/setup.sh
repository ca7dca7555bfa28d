#!/bin/sh
# Creates .venv from requirements.lock and makes `lienthong`, `simulator` and `devstack` importable in it.
# Done once; done again when the lock, the Python or the place of the checkout changes. Safe to interrupt.
set -eu
cd "$(dirname "$0")/.."
HERE=$(pwd -P)
STAMP=.venv/.installed
WANTED="$HERE $(cksum <requirements.lock) setup-1"

if [ -f "$STAMP" ] && [ "$(cat "$STAMP")" = "$WANTED" ] && .venv/bin/python -c "" 2>/dev/null; then
    exit 0
fi

supported() { "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; }

PYTHON=
for candidate in python3.13 python3.12 python3.11 python3; do
    if command -v "$candidate" >/dev/null 2>&1 && supported "$candidate"; then
        # A Python without ensurepip can't make environments; another version may be complete.
        if "$candidate" -c 'import ensurepip, venv' 2>/dev/null; then PYTHON=$candidate; break; fi
        INCOMPLETE=$candidate
    fi
done
if [ -z "$PYTHON" ]; then
    if [ -n "${INCOMPLETE:-}" ]; then
        version=$("$INCOMPLETE" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
        echo "error: $INCOMPLETE has no venv module. Next: apt-get install python$version-venv (Debian, Ubuntu), then run make again." >&2
    else
        echo "error: no Python 3.11, 3.12 or 3.13 found. Next: apt-get install python3 python3-venv (Debian 12, Ubuntu 24.04), then run make again." >&2
    fi
    exit 1
fi

# An environment of another Python, or one whose creation was cut short, is made again.
if ! { .venv/bin/python -m pip --version >/dev/null 2>&1 && supported .venv/bin/python; }; then
    echo "Creating .venv with $("$PYTHON" --version) …"
    "$PYTHON" -m venv --clear .venv
fi
rm -f "$STAMP"
echo "Installing $(grep -c '==' requirements.lock) packages from requirements.lock (about two minutes the first time) …"
# The lock is complete: without dependency resolution pip needs a tenth of the time.
.venv/bin/python -m pip install --quiet --no-deps --require-hashes --no-input --progress-bar off -r requirements.lock

SITE=$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
printf '%s\n%s\n' "$HERE/plugins" "$HERE" >"$SITE/lienthong-checkout.pth"
cat >.venv/bin/lienthong <<'SCRIPT'
#!/bin/sh
exec "$(dirname "$0")/python" -c 'import sys; sys.argv[0] = "lienthong"; from lienthong.cli import main; main()' "$@"
SCRIPT
chmod 755 .venv/bin/lienthong
printf '%s\n' "$WANTED" >"$STAMP"
echo "Ready: .venv/bin/lienthong --help"
