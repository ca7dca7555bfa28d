"""What a person decides about deliveries, from the texts of a form or a file of codes."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from lienthong.exchange.decisions import Action, Choice
from lienthong.model.errors import ArgumentError
from lienthong.model.instants import read_instant
from lienthong.reports.headings import CODE_COLUMN, MOMENT_COLUMN

#: Actions about steps that may have arrived.
_ABOUT_STEPS = (Action.ARRIVED, Action.RESEND)


@dataclass(frozen=True)
class DecisionRequest:
    """One decision about a tenant's deliveries, and why. With `preview` it is only said what it would meet."""

    tenant: str
    action: Action
    choice: Choice
    reason: str
    decided_by: str
    preview: bool = True

    @classmethod
    def parse(
        cls,
        tenant: str,
        action: Action,
        *,
        reason: str,
        decided_by: str,
        codes: Sequence[str] = (),
        listing: str | None = None,
        everything: bool = False,
        rule: str | None = None,
        since: str | None = None,
        until: str | None = None,
        preview: bool = True,
    ) -> DecisionRequest:
        """Exactly one of `codes`, `listing` (the text of a file: a code per line, or a work list) and `everything`
        says which dossiers; a `rule` or a period (`since`, `until`) means everything of it.
        """
        everything = everything or rule is not None or since is not None or until is not None
        if sum((bool(codes), listing is not None, everything)) != 1:
            raise ArgumentError(
                "Say which dossiers: exactly one of --code, --file and --all (or a period, or a rule).",
                next_step="give the codes of the dossiers, a file of them, or --all.",
            )
        start, end = (None if text is None else read_instant(text) for text in (since, until))
        if everything:
            choice = Choice(rule=rule, since=start, until=end)
        elif listing is None:
            choice = Choice(tuple(codes))
        else:
            choice = Choice(*_listed(listing, about_steps=action in _ABOUT_STEPS))
        return cls(tenant, action, choice, reason, decided_by, preview)


def _listed(text: str, *, about_steps: bool) -> tuple[tuple[str, ...], tuple[datetime | None, ...]]:
    """Codes, and moments of steps where the file has them: a list of codes, or a work list (by its headings). Of a work
    list only lines about steps decide about steps: a line about the dossier is not about all of them.
    """
    rows = [[cell.strip().lstrip("'") for cell in row] for row in csv.reader(text.splitlines()) if row]
    code, moment, is_work_list = 0, 1, bool(rows) and CODE_COLUMN in rows[0]
    if is_work_list:
        code, moment = rows[0].index(CODE_COLUMN), rows[0].index(MOMENT_COLUMN) if MOMENT_COLUMN in rows[0] else -1
        rows = rows[1:]
    named = [row for row in rows if len(row) > code and row[code]]
    if about_steps and is_work_list:
        named = [row for row in named if 0 <= moment < len(row) and row[moment]]
    whens = [row[moment] if 0 <= moment < len(row) else "" for row in named]
    return tuple(row[code] for row in named), tuple(read_instant(when) if when else None for when in whens)
