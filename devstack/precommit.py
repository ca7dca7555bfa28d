"""What no committed file may hold: secrets, leftovers of a merge, more than a megabyte.

`python -m devstack.precommit FILE …` names every place and ends with exit code 1 when there is one.

A line that only looks like a secret (an invented one in a test, say) is passed by ending it with `secret: none`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

LARGE = 1 << 20
ALLOWED = "secret: none"
LEFTOVER = re.compile(r"^(<{7} |={7}$|>{7} )")
_REAL_HOST = r"(?!127\.|localhost|[\w.-]*\.(example|invalid|test)\b)"
SECRETS = {
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    "an access key": re.compile(r"\b(AKIA|ASIA)[0-9A-Z]{16}\b"),
    "a token": re.compile(r"\b(gh[pousr]_[A-Za-z0-9]{36}|glpat-[\w-]{20}|xox[baprs]-[\w-]{20,})"),
    "a JSON web token": re.compile(r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}"),
    # Written out, not ${…}, $…, {…} or <…>, and for a host that may exist.
    "a password in a URL": re.compile(
        r"\b[a-z][a-z0-9+]*://[^\s:/@{}$<>\"']+:(?![${<*])[^\s:/@{}$<>\"']{6,}@" + _REAL_HOST
    ),
    "a value of a secret variable": re.compile(
        r"^\s*(export )?[A-Z_]*(PASSWORD|SECRET|SECRET_KEY|FERNET_KEY|TOKEN)\s*=\s*[\w+/=-]{12,}\s*$"
    ),
}


def problems(path: Path) -> Iterator[str]:
    """Everything that is wrong with one file, by line; never the secret itself."""
    if path.stat().st_size > LARGE:
        yield f"{path}: {path.stat().st_size:,} bytes are too many for a repository"
        return
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        return
    for number, line in enumerate(lines, start=1):
        if LEFTOVER.match(line):
            yield f"{path}:{number}: left over from a merge"
        if ALLOWED in line:
            continue
        for what, pattern in SECRETS.items():
            if pattern.search(line):
                yield f"{path}:{number}: looks like {what}"


def main(arguments: Sequence[str]) -> int:
    """Entry point; returns the exit code."""
    found = [problem for name in arguments for problem in problems(Path(name))]
    for problem in found:
        print(problem, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
