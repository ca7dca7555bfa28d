"""Files on any fsspec URL that appear whole or not at all, hashed while they are written."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from typing import IO, Any, cast

from fsspec import AbstractFileSystem
from fsspec.implementations.local import LocalFileSystem

from lienthong import disk
from lienthong.model.errors import DiskFullError


class HashingFile:
    """A binary file for writing that counts and hashes what passes through.

    On a local disk it is written beside its final name and renamed on `publish`; object stores show a file only when
    it is closed, which amounts to the same. DiskFullError when it does not fit: the file can then only be abandoned,
    and takes what is still written to it (Parquet's footer) without a word.
    """

    def __init__(self, fs: AbstractFileSystem, path: str) -> None:
        self._fs = fs
        self._path = path
        self._local = isinstance(fs, LocalFileSystem)
        self._written_to = f"{path}.partial" if self._local else path
        with disk.translating(path):
            self._file = cast("IO[bytes]", fs.open(self._written_to, "wb"))
        self._hash = hashlib.sha256()
        self._full: DiskFullError | None = None
        self.bytes = 0

    def write(self, data: Any) -> int:
        view = memoryview(data)
        if self._full is not None:
            return view.nbytes
        self._hash.update(view)
        try:
            self._file.write(view)
        except OSError as error:
            raise self._failed(error) from None
        self.bytes += view.nbytes
        return view.nbytes

    def tell(self) -> int:
        return self.bytes

    def flush(self) -> None:
        if self._full is not None:
            return
        try:
            self._file.flush()
        except OSError as error:
            raise self._failed(error) from None

    def close(self) -> None:
        """Parquet's writer closes what it wrote to; the file stays open until `publish` or `abandon`."""

    @property
    def closed(self) -> bool:
        return self._file.closed

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    def publish(self) -> None:
        if self._full is not None:
            raise self._full
        try:
            self._file.flush()
            if self._local:
                os.fsync(self._file.fileno())
            self._file.close()
            if self._local:
                os.replace(self._written_to, self._path)
        except OSError as error:
            raise self._failed(error) from None

    def abandon(self) -> None:
        with suppress(OSError):  # closing writes what still waits, which a full disk refuses once more
            self._file.close()
        if self._fs.exists(self._written_to):
            self._fs.rm_file(self._written_to)

    def _failed(self, error: OSError) -> OSError | DiskFullError:
        self._full = disk.disk_full(error, self._path, self.bytes)
        return self._full or error


def write_once(fs: AbstractFileSystem, path: str, text: str) -> None:
    """Write a small file that must not exist yet; FileExistsError when it does.

    Locally the check and the creation are one step (a hard link); elsewhere they are two, and the fence in the path
    keeps writers apart.
    """
    if fs.exists(path):
        raise FileExistsError(path)
    if not isinstance(fs, LocalFileSystem):
        fs.pipe_file(path, text.encode())
        return
    partial = f"{path}.partial"
    try:
        with disk.translating(path):
            with open(partial, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            os.link(partial, path)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(partial)


def sha256_of(fs: AbstractFileSystem, path: str) -> str:
    """Hex digest of a stored file, read in pieces."""
    digest = hashlib.sha256()
    with fs.open(path, "rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()
