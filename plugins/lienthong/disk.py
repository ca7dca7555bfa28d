"""A full disk told in one way, and files for people that are replaced whole or not at all."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from lienthong.model.errors import DiskFullError

#: No space, a used-up quota, and a file that may not become larger (`ulimit -f`).
FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def disk_full(error: OSError, place: str | Path, written: int | None = None) -> DiskFullError | None:
    """What to tell about an error of the operating system that means a full disk; None when it means something else.

    `place`: the file or folder that was written to; `written`: bytes of it that fitted.
    """
    if error.errno not in FULL:
        return None
    if error.errno == errno.EFBIG:
        why = "a file may not become larger (ulimit -f, or the limit of the file system)"
    elif error.errno == errno.EDQUOT:
        why = "the quota is used up"
    else:
        why = "the disk is full"
    fitted = "" if written is None else f" after {_size(written)} of this file"
    return DiskFullError(
        f"Writing {place} failed{fitted}: {why}; {_free(Path(place))}.",
        next_step="free space there, or give it a larger disk; what was half-written is removed, and the same step is "
        "tried again by itself.",
        key=os.path.basename(str(place).rstrip("/")),
    )


@contextmanager
def translating(place: str | Path) -> Iterator[None]:
    """Tell a full disk as DiskFullError; other errors pass as they are."""
    try:
        yield
    except OSError as error:
        full = disk_full(error, error.filename if isinstance(error.filename, str) else place)
        if full is None:
            raise
        raise full from None


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A file to write instead of `path`, to take its place when the block ends well.

    Readers see the old one or the new one. Whatever goes wrong, nothing of the new one stays, or it would keep a full
    disk full. DiskFullError.
    """
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")  # two may be written at once
    try:
        with translating(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            yield unfinished
            os.replace(unfinished, path)
    finally:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)


def _free(place: Path) -> str:
    """Free space where `place` lies; the folder may not be there yet, and an object store has no disk."""
    for folder in (place, *place.parents) if place.is_absolute() else ():
        with suppress(OSError):
            usage = shutil.disk_usage(folder)
            return f"{_size(usage.free)} of {_size(usage.total)} are free"
    return "free space is not known"


def _size(number: int) -> str:
    """1536 → 1.5 kB."""
    size = float(number)
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TB"
