"""A folder on this server or a bucket, by fsspec. Nothing is ever written, moved or deleted in it."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatch
from typing import Any

import fsspec

from lienthong.connections import Connection
from lienthong.model.errors import ContractError, SourceAccessError, SourceAnswerError, SourceUnreachableError
from lienthong.model.masking import mask_word
from lienthong.sources.contract import SourceContract

MOST_BYTES = 64 << 20
MOST_FILES = 10_000
#: What programs leave beside a file while somebody has it open or copies it.
PASSED_OVER = ("~$*", ".*", "*.tmp", "*.part", "*.partial", "*.crdownload", "*.swp")


@dataclass(frozen=True)
class DroppedFile:
    """A file of the folder. `name` is below the folder; `version` changes with its content, as far as a store tells.

    File names are people's words, so personal: `shown` is what errors and findings say.
    """

    name: str
    size: int
    modified_at: datetime | None
    version: str

    @property
    def shown(self) -> str:
        return mask_word(self.name)


class Folder:
    """The files of one source. `extra.url` of the connection: `file:///srv/nop-ho-so` or `s3://bucket/prefix`;
    `extra.options`: what fsspec's file system takes. Links are passed over: they could lead out of the folder.

    ContractError, SourceUnreachableError, SourceAccessError; SourceAnswerError for a file that is still being written.
    """

    def __init__(
        self,
        contract: SourceContract,
        connection: Connection,
        load: int | None = None,
        *,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.contract, self.load = contract, load
        self._sleep = sleep
        self._connection = connection
        url, options = str(connection.extra.get("url", "")), connection.extra.get("options", {})
        try:
            if "://" not in url or not isinstance(options, Mapping):
                raise ValueError
            self._system, self._root = fsspec.core.url_to_fs(url, **options)
        except (ValueError, ImportError, TypeError) as error:
            raise ContractError(
                f"Connection {connection.conn_id!r} names no folder or bucket ({type(error).__name__}).",
                next_step="set extra.url, e.g. file:///srv/ho-so or s3://bucket/folder (which needs its driver).",
                **self._where(connection.conn_id),
            ) from None

    def files(self, patterns: Sequence[str] = ("*",)) -> list[DroppedFile]:
        """Its files by name, of which any pattern fits; not those of folders inside it."""
        found = []
        for info in self._told(lambda: self._system.ls(self._root, detail=True)):
            name = str(info["name"]).rstrip("/").rpartition("/")[2]
            if info.get("type") != "file" or info.get("islink") or any(fnmatch(name, sign) for sign in PASSED_OVER):
                continue
            if any(fnmatch(name.lower(), pattern.lower()) for pattern in patterns):
                found.append(_file(name, info))
        if len(found) > MOST_FILES:
            raise SourceAnswerError(
                f"The folder holds more than {MOST_FILES} files.",
                next_step="move what was loaded long ago to another folder.",
                **self._where(self._connection.conn_id),
            )
        return sorted(found, key=lambda file: file.name)

    def settled(self, files: Sequence[DroppedFile], wait_s: float = 2.0) -> tuple[list[DroppedFile], list[DroppedFile]]:
        """Those that stand still for `wait_s`, and those that are still being written or went away meanwhile."""
        if files:
            self._sleep(wait_s)
        now = {file.name: file for file in self.files()}
        still = [file for file in files if now.get(file.name) == file and file.size]
        return still, [file for file in files if file not in still]

    def read(self, file: DroppedFile, most_bytes: int = MOST_BYTES) -> bytes:
        """Its content. SourceAnswerError when it is larger than `most_bytes`, or changes while it is read."""
        if file.size > most_bytes:
            raise self._unusable(file, f"is larger than {most_bytes >> 20} MiB", "split it into smaller files")

        def whole() -> bytes:
            with self._system.open(f"{self._root}/{file.name}", "rb") as opened:
                return bytes(opened.read(most_bytes + 1))

        content: bytes = self._told(whole)
        now = {other.name: other for other in self.files([_literally(file.name)])}.get(file.name)
        if len(content) != file.size or now != file:
            raise self._unusable(file, "is still being written", "run the load again when it is complete")
        return content

    def clock(self) -> datetime:
        """Ours: a folder has none."""
        return datetime.now(UTC)

    def _unusable(self, file: DroppedFile, what: str, next_step: str) -> SourceAnswerError:
        return SourceAnswerError(f"The file {what}.", next_step=f"{next_step}.", **self._where(file.shown))

    def _told(self, step: Callable[[], Any]) -> Any:
        try:
            return step()
        except PermissionError:
            raise SourceAccessError(
                "The folder or a file in it may not be read.",
                next_step="give the account of the workers the right to read the folder and its files.",
                **self._where(self._connection.conn_id),
            ) from None
        except FileNotFoundError:
            raise SourceUnreachableError(
                "The folder, or a file that was just listed, is not there.",
                next_step="check extra.url of the connection, and that the share is mounted; then run the load again.",
                **self._where(self._connection.conn_id),
            ) from None
        except OSError as error:
            raise SourceUnreachableError(
                f"The folder can't be read ({type(error).__name__}).",
                next_step="check that the share or the bucket is reachable; then run the load again.",
                **self._where(self._connection.conn_id),
            ) from None

    def _where(self, key: str) -> dict[str, Any]:
        return {"source": self.contract.source_id, "load": self.load, "key": key}


def fingerprint(content: bytes) -> str:
    """SHA-256 (hex) of a file: the same content under another name is the same file."""
    return hashlib.sha256(content).hexdigest()


def _file(name: str, info: Mapping[str, Any]) -> DroppedFile:
    size = int(info.get("size") or 0)
    changed = info.get("mtime") or info.get("LastModified") or info.get("last_modified")
    moment = datetime.fromtimestamp(changed, UTC) if isinstance(changed, int | float) else changed
    told = info.get("ETag") or info.get("etag") or info.get("md5Hash")
    version = str(told) if told else f"{size}-{moment.isoformat() if isinstance(moment, datetime) else ''}"
    return DroppedFile(name, size, moment if isinstance(moment, datetime) else None, version)


def _literally(name: str) -> str:
    """A pattern that only this name fits."""
    return "".join(f"[{char}]" if char in "*?[" else char for char in name)
