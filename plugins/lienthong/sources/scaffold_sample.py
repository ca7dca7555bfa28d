"""A bounded sample of a source in a landing folder of its own, which is gone afterwards: it holds personal data."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from lienthong.connections import Connection
from lienthong.landing import BatchWriter, LandedBatch, LandingStore
from lienthong.sources.contract import SourceContract

#: A folder that a killed process left behind is removed by the next sample of the same user.
_PREFIX = "lienthong-sample-"


#: A system's `sample`.
Sampling = Callable[[SourceContract, Connection, BatchWriter, int], str]


@contextmanager
def sampled(sample: Sampling, contract: SourceContract, connection: Connection, dossiers: int) -> Iterator[LandedBatch]:
    """The newest `dossiers` dossiers, landed for as long as the block lasts. Errors as `Sample.sample` raises."""
    _remove_left_behind()
    folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-"))
    try:
        store = LandingStore(folder.as_uri())
        writer = store.writer(contract.tenant, contract.source_id, 0, 1)
        yield store.open(sample(contract, connection, writer, dossiers))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _remove_left_behind() -> None:
    """Folders whose process is gone (killed before it could clean up)."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        pid = folder.name.removeprefix(_PREFIX).partition("-")[0]
        if pid.isdecimal() and not _alive(int(pid)):
            shutil.rmtree(folder, ignore_errors=True)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
