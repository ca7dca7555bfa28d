"""Which code makes canonical records of landed rows: fingerprints of another making don't count."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.metadata import version
from pathlib import Path

import lienthong

#: What canonical values come from besides the contract: our own modules, and the libraries that type and read them.
_MODULES = ("landing", "model", "sources")
_LIBRARIES = ("polars", "pyarrow", "pydantic-core")


@cache
def making() -> str:
    """A digest of the modules and versions of libraries that canonical records rest on; once per process."""
    return making_of(Path(lienthong.__file__).parent)


def making_of(package: Path) -> str:
    """`making` of a copy of our package."""
    digest = hashlib.sha256()
    for module in _MODULES:
        for path in sorted((package / module).rglob("*.py")):
            digest.update(f"{path.relative_to(package).as_posix()}\0".encode() + path.read_bytes())
    for library in _LIBRARIES:
        digest.update(f"{library} {version(library)}\0".encode())
    return digest.hexdigest()
