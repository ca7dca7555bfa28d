"""A step of a load that failed leaves its words in the ledger."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from typing import TypeVar

from lienthong import disk
from lienthong.connections import Role
from lienthong.model.errors import BusyError, DefectError, FencedError, LienThongError, TransientError
from lienthong.model.traces import kind_of
from lienthong.pipeline.runtime import Runtime
from lienthong.warehouse import ledger, outages

T = TypeVar("T")


def remembering_failure(step: Callable[[Runtime, int], T]) -> Callable[[Runtime, int], T]:
    """Keep a failed step's words in the ledger, where `lienthong status` and the pages find them.

    An outage of the warehouse or a full disk is told in our words too, naming source and load. Of an error that nobody
    foresaw only the kind is kept: its words may quote rows.
    """

    @wraps(step)
    def wrapped(rt: Runtime, load_id: int) -> T:
        source_id = None
        try:
            with outages.translating(load=load_id), rt.warehouse(Role.LOADER).connect() as connection:
                source_id = ledger.read_load(connection, load_id).source_id
            with (
                outages.translating(source_id, load_id),
                disk.translating(rt.settings.landing_url.removeprefix("file://")),
            ):
                return step(rt, load_id)
        except (BusyError, FencedError):
            raise  # the load itself is well: another copy works on it
        except LienThongError as error:
            # It may be the warehouse that is away.
            with suppress(TransientError), rt.warehouse(Role.LOADER).begin() as connection:
                ledger.fail_load(connection, load_id, f"{step.__name__}: {error}", rt.now())
            raise
        except Exception as error:
            told = _unforeseen(error, source_id, load_id)
            # None may take the place of `error`.
            with suppress(Exception), rt.warehouse(Role.LOADER).begin() as connection:
                ledger.fail_load(connection, load_id, f"{step.__name__}: {told}", rt.now())
            raise

    return wrapped


def _unforeseen(error: Exception, source_id: str | None, load_id: int) -> LienThongError:
    """What may be kept of an error without an own class: its kind and SQLSTATE, never its words."""
    return DefectError(
        f"An error that nobody foresaw: {kind_of(error)}.",
        source=source_id,
        load=load_id,
        next_step="look at the log of this step for the place and report it as a defect; the step may be tried again.",
    )
