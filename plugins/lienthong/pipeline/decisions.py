"""Decisions of people about deliveries, and the work list that they decide from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lienthong.connections import Role
from lienthong.pipeline.push import contracts_of
from lienthong.pipeline.runtime import Runtime

if TYPE_CHECKING:
    from lienthong.exchange.decisions import Action, Choice, Decided, Undecided


def decide(
    rt: Runtime, tenant: str, action: Action, choice: Choice, *, reason: str, decided_by: str, preview: bool
) -> Decided:
    """Carry out one decision about a tenant's deliveries, or say what it would do. ArgumentError: unknown tenant."""
    from lienthong.exchange.decisions import decide as carry_out
    from lienthong.exchange.settings import load_portal_settings

    contracts_of(rt, tenant)
    settings = load_portal_settings(rt.settings.portal)
    return carry_out(
        rt.warehouse(Role.PUSHER), tenant, action, choice, settings,
        reason=reason, decided_by=decided_by, now=rt.now(), preview=preview,
    )  # fmt: skip


def work_list(rt: Runtime, tenant: str) -> list[Undecided]:
    """What waits for people's decisions. ArgumentError for an unknown tenant."""
    from lienthong.exchange.decisions import undecided

    contracts_of(rt, tenant)
    return undecided(rt.warehouse(Role.READER), tenant)


def write_work_list(rt: Runtime, tenants: Sequence[str], path: Path) -> Path:
    """The work lists of some tenants as one CSV file for spreadsheets."""
    from lienthong.reports.deliveries import write_listing

    return write_listing(rt.warehouse(Role.READER), tenants, path)
