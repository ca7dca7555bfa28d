"""What an extraction that died half-way leaves behind for its next try: pieces already read, and where it stood.

Lies beside the attempts of a load, `<load>/progress/`. Pieces are immutable and named by the fence that wrote them;
each fence keeps its own note of the pieces that count, so a copy that was taken over can't disturb its successor.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from fsspec import AbstractFileSystem

from lienthong.landing.files import HashingFile

FOLDER = "progress"

_NOTE = re.compile(r"p(\d+)\.json")


class Checkpoint:
    """Pieces of an unfinished extraction, by kind and in order, and a note (JSON) of where it stood.

    Opened by a fence, it continues what the newest earlier fence saved for the same `plan`; another plan (mode, window,
    contract, system) is not continued. Only what was there at the last `save` counts.
    """

    def __init__(self, fs: AbstractFileSystem, load_folder: str, fence: int, plan: str) -> None:
        self._fs = fs
        self._folder = f"{load_folder}/{FOLDER}"
        self.fence = fence
        self._plan = plan
        #: kind → [fence, pieces written by it], in order.
        self._runs: dict[str, list[list[int]]] = {}
        self.note: dict[str, Any] = {}
        fs.makedirs(self._folder, exist_ok=True)
        self._continue_newest()

    def pieces(self, kind: str) -> int:
        """How many pieces of a kind there are."""
        return sum(count for _, count in self._runs.get(kind, ()))

    def add(self, kind: str, rows: pa.Table) -> None:
        """Write one more piece. It counts from the next `save` on."""
        runs = self._runs.setdefault(kind, [])
        if not runs or runs[-1][0] != self.fence:
            runs.append([self.fence, 0])
        file = HashingFile(self._fs, self._path(kind, self.fence, runs[-1][1]))
        sink: Any = file
        try:
            pq.write_table(rows, sink, compression="zstd")
            file.publish()
        except BaseException:
            file.abandon()
            raise
        runs[-1][1] += 1

    def save(self, note: dict[str, Any]) -> None:
        """From now on a next try goes on from `note` and the pieces added so far. Whole or not at all."""
        self.note = note
        text = json.dumps({"plan": self._plan, "runs": self._runs, "note": note})
        file = HashingFile(self._fs, f"{self._folder}/p{self.fence}.json")
        try:
            file.write(text.encode())
            file.publish()
        except BaseException:
            file.abandon()
            raise

    def restart(self) -> None:
        """Nothing that was read so far counts any more: the next try begins with nothing."""
        self._runs = {}
        self.save({})

    def read(self, kind: str, columns: list[str] | None = None, first: int = 0) -> Iterator[pa.Table]:
        """The pieces of a kind in the order they were added, from number `first` on."""
        number = 0
        for fence, count in self._runs.get(kind, ()):
            for piece in range(count):
                if number >= first:
                    with self._fs.open(self._path(kind, fence, piece), "rb") as stored:
                        yield pq.read_table(stored, columns=columns)
                number += 1

    def _path(self, kind: str, fence: int, number: int) -> str:
        return f"{self._folder}/{kind}-{fence}-{number:06d}.parquet"

    def _continue_newest(self) -> None:
        """Take over the newest note that fits and whose pieces are all there; otherwise start with nothing."""
        names = [str(path).rpartition("/")[2] for path in self._fs.ls(self._folder, detail=False)]
        fences = sorted((int(match.group(1)) for name in names if (match := _NOTE.fullmatch(name))), reverse=True)
        there = set(names)
        for fence in (fence for fence in fences if fence <= self.fence):
            try:
                saved = json.loads(self._fs.cat_file(f"{self._folder}/p{fence}.json"))
            except (OSError, ValueError):
                continue
            if not isinstance(saved, dict) or saved.get("plan") != self._plan:
                continue
            runs: dict[str, list[list[int]]] = saved["runs"]
            wanted = {
                self._path(kind, writer, piece).rpartition("/")[2]
                for kind, parts in runs.items()
                for writer, count in parts
                for piece in range(count)
            }
            if wanted <= there:
                self._runs, self.note = runs, saved["note"]
                return


def discard(fs: AbstractFileSystem, load_folder: str) -> None:
    """Remove what is left of a load's progress, once the load has been extracted."""
    folder = f"{load_folder}/{FOLDER}"
    if fs.exists(folder):
        fs.rm(folder, recursive=True)
