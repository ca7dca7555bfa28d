"""Files that only their owner may read."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TextIO


def open_private(file: Path) -> TextIO:
    """A new text file of mode 0600."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.unlink(missing_ok=True)  # an older one might have another mode
    return os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8")


def write_private(file: Path, text: str) -> None:
    """Write `text` to a file of mode 0600, in one step."""
    draft = file.with_name(f"{file.name}.new")
    with open_private(draft) as sink:
        sink.write(text)
    draft.replace(file)
