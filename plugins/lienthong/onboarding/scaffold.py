"""A first contract for a new source, from a look at it: what is known is filled in, the rest is listed to be filled in.

Nothing is guessed: a code is proposed where such systems always have it, or where every contract of the same profile
gives it, and then the line says so. The mode is always observe.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from lienthong.connections import Connection
from lienthong.model.codes import SourceMode
from lienthong.model.errors import ArgumentError, SchemaDriftError
from lienthong.model.kinds.dossier import DOSSIER_KIND
from lienthong.onboarding.scaffold_text import contract_text
from lienthong.registry.provinces import read_provinces
from lienthong.sources.contract import SourceContract
from lienthong.sources.office_hours import office_shift
from lienthong.sources.profiles import profile_of
from lienthong.sources.system import Look, Propose

if TYPE_CHECKING:
    from lienthong.sources.profile import Proposal, SourceSight

SYSTEMS = {"opencps": "hệ thống một cửa OpenCPS", "igate": "hệ thống một cửa VNPT iGate"}
ZONE = "Asia/Ho_Chi_Minh"
#: When everything is read, by night: weekly from a database; monthly where each dossier is a request of its own.
FULL = {"opencps": "{minute} 1 * * 0", "igate": "{minute} 1 1 * *"}
_CODES = ("status", "substatus", "step", "channel", "subject", "return_method", "payment_method", "document_role")


@dataclass(frozen=True)
class Scaffold:
    """A contract's text, what it was made from, and how many words of the source wait for a code."""

    text: str
    sight: SourceSight
    proposal: Proposal
    open_words: int


def draft(
    source_id: str, profile: str, tenant: str, connection: str, others: Mapping[str, SourceContract], provinces: Path
) -> SourceContract:
    """What can be said of a source before it was looked at. ArgumentError for a name that can't be used.

    `others`: the contracts there are; a second source of a tenant speaks after the first and uses its portal account.
    """
    sent = [other.section.delivery for other in others.values() if other.tenant == tenant]
    same = [delivery for delivery in sent if delivery]
    sharing = [other for other in others.values() if other.connection == connection and other.kind is DOSSIER_KIND]
    taken = next((other.source_id for other in sharing), None)
    if taken:
        raise _refused(source_id, f"Connection {connection!r} is already the connection of {taken!r}.", "connection")
    minute = 5 * len(others) % 30
    values: dict[str, object] = {
        "source_id": source_id,
        "title": f"{_name_of(tenant, provinces)}, {SYSTEMS.get(profile, profile)}",
        "profile": profile,
        "connection": connection,
        "tenant": tenant,
        "agency": tenant,
        "time_zone": ZONE,
        "schedule": f"{minute},{minute + 30} * * * *",
        "full": FULL[profile].format(minute=minute) if profile in FULL else None,
        "overlap": "2d",
    }
    section = {
        "portal_connection": same[0].account if same else f"portal_{tenant.lower()}",
        "mode": SourceMode.OBSERVE.value,
        "precedence": max((delivery.precedence for delivery in same), default=0) + 10,
        "entities": [DOSSIER_KIND.root.entity],
        "codes": {**{section: {} for section in _CODES}, "paid": []},
    }
    try:
        return SourceContract.model_validate({**values, "section": (DOSSIER_KIND.name, section)}, strict=False)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        raise _refused(source_id, f"{key}: {first['msg']}.", key) from None


def scaffold(
    first: SourceContract,
    connection: Connection,
    others: Mapping[str, SourceContract],
    now: Callable[[], datetime],
) -> Scaffold:
    """Look at the source and write its contract's text. Errors as `Look.look` and `Propose.propose` raise them;
    ArgumentError for a system that has neither."""
    profile = profile_of(first)
    if not isinstance(profile, Look) or not isinstance(profile, Propose):
        raise ArgumentError(
            f"A first contract for a system of kind {first.profile!r} can't be written from what it shows.",
            next_step="copy a contract of such a system in include/sources and change it (docs/sources.md).",
            source=first.source_id,
            key=first.profile,
        )
    proposal = profile.propose(first, connection)
    fields: dict[str, dict[str, str]] = {}
    for found in proposal.paths:
        fields.setdefault(found.entity, {})[found.field] = found.path
    known = first.with_section(entities=proposal.entities, ignore=_ignored(proposal), fields=fields)
    sight = profile.look(known, connection, now)
    if sight.unreadable:
        raise SchemaDriftError(
            f"Our account may not read {', '.join(sight.unreadable)}.",
            next_step="have SELECT granted on them, then run source add again.",
            source=first.source_id,
            key=first.connection,
        )
    zone = "UTC" if office_shift(sight.hours) == 7 else ZONE
    peers = [other for other in others.values() if (other.profile, other.kind) == (first.profile, first.kind)]
    final = first.model_copy(update={"time_zone": zone})
    text, open_words = contract_text(final, sight, proposal, peers, now())
    return Scaffold(text, sight, proposal, open_words)


def write_contract(path: Path, text: str, force: bool) -> None:
    """Write the contract. ArgumentError when there is one already, unless `force`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if force:
        new = path.with_name(f".{path.name}.new")
        new.write_text(text, encoding="utf-8")
        new.replace(path)
        return
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise _refused(path.stem, f"There is already a contract {path.name}.", "--force") from None


def _ignored(proposal: Proposal) -> dict[str, tuple[str, ...]]:
    return {**proposal.ignore, **dict.fromkeys(proposal.absent, ("*",))}


def _name_of(tenant: str, provinces: Path) -> str:
    """The province's name, or the code itself for a sender that is no province."""
    known = read_provinces(provinces).get(tenant)
    return known.name if known else tenant


def _refused(source_id: str, what: str, key: str) -> ArgumentError:
    steps = {
        "--force": "check it with source check, or write it anew with --force.",
        "connection": "name another with --connection.",
    }
    return ArgumentError(
        what, next_step=steps.get(key, "correct it and run source add again."), source=source_id, key=key
    )
