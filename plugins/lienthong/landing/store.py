"""Where batches live: `<base>/<tenant>/<source_id>/<load_id>/a<fence>/` on any fsspec URL."""

from __future__ import annotations

import os
import re

from fsspec import AbstractFileSystem
from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem

from lienthong.landing import checkpoint
from lienthong.landing.batch import LandedBatch
from lienthong.landing.manifest import NAME, Manifest
from lienthong.landing.writer import BatchWriter
from lienthong.model.errors import LandingCorruptError, LoadStateError

_SEGMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_ATTEMPT = re.compile(r"a(\d+)")


class LandingStore:
    """Batches below one fsspec URL (file://, s3://, memory://, …).

    Landing holds personal data as received: a local base folder is created for its owner only.
    """

    def __init__(self, base_url: str) -> None:
        fs, path = url_to_fs(base_url)
        self._fs: AbstractFileSystem = fs
        self._base = str(path).rstrip("/")

    def is_landed(self, tenant: str, source_id: str, load_id: int, fence: int) -> bool:
        """Whether attempt `fence` has its manifest, be it of a load that a restored warehouse forgot."""
        return bool(self._fs.exists(f"{self._folder(tenant, source_id, load_id, fence)}/{NAME}"))

    def writer(self, tenant: str, source_id: str, load_id: int, fence: int) -> BatchWriter:
        """A writer for attempt `fence` of a load. Leftovers of the same attempt without a manifest are removed.

        LoadStateError when the attempt is already committed.
        """
        folder = self._folder(tenant, source_id, load_id, fence)
        if self.is_landed(tenant, source_id, load_id, fence):
            raise LoadStateError(
                f"Attempt {fence} of this load is already landed.",
                next_step="read it instead of extracting again.",
                source=source_id,
                load=load_id,
            )
        if self._fs.exists(folder):
            self._fs.rm(folder, recursive=True)
        if isinstance(self._fs, LocalFileSystem) and not os.path.isdir(self._base):
            os.makedirs(self._base, mode=0o700, exist_ok=True)
        self._fs.makedirs(folder, exist_ok=True)
        return BatchWriter(self._fs, folder, tenant, source_id, load_id, fence)

    def open(self, manifest_url: str) -> LandedBatch:
        """The committed batch of a manifest. LandingCorruptError when there is none, or it can't be understood."""
        fs, path = url_to_fs(manifest_url)
        folder, _, name = str(path).rpartition("/")
        try:
            manifest = Manifest.from_json(fs.cat_file(path).decode())
        except FileNotFoundError:
            raise _unusable(manifest_url, f"Landed file {name} is missing.") from None
        except (ValueError, KeyError, TypeError) as error:
            raise _unusable(manifest_url, f"Landed file {name} can't be understood ({type(error).__name__}).") from None
        return LandedBatch(fs, folder, manifest_url, manifest)

    def discard_uncommitted(self, tenant: str, source_id: str, load_id: int, before_fence: int) -> int:
        """Remove attempts of a load older than `before_fence` that never got a manifest; returns how many.

        The progress that the attempts kept for each other goes too: called once the load has been extracted.
        """
        load = f"{self._base}/{_segment(tenant)}/{_segment(source_id)}/{load_id}"
        if not self._fs.exists(load):
            return 0
        checkpoint.discard(self._fs, load)
        removed = 0
        for path in sorted(str(entry) for entry in self._fs.ls(load, detail=False)):
            attempt = _ATTEMPT.fullmatch(path.rstrip("/").rpartition("/")[2])
            if attempt and int(attempt.group(1)) < before_fence and not self._fs.exists(f"{path}/{NAME}"):
                try:
                    self._fs.rm(path, recursive=True)
                except OSError:  # its writer is still at work; it will find itself fenced and discard the rest
                    continue
                removed += 1
        return removed

    def _folder(self, tenant: str, source_id: str, load_id: int, fence: int) -> str:
        return f"{self._base}/{_segment(tenant)}/{_segment(source_id)}/{load_id}/a{fence}"


def _segment(text: str) -> str:
    if not _SEGMENT.fullmatch(text):
        raise ValueError(f"{text!r} can't be part of a path")
    return text


def _unusable(manifest_url: str, what: str) -> LandingCorruptError:
    """Tell source and load from the path, since the manifest can't tell."""
    parts = manifest_url.split("/")
    source, load = (parts[-4], parts[-3]) if len(parts) >= 4 else (None, None)
    return LandingCorruptError(
        what,
        next_step="restore it from the copy of the landing area, or run the load again so that it extracts anew.",
        source=source,
        load=load,
        key=manifest_url,
    )
