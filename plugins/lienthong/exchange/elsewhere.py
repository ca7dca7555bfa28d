"""Dossiers that somebody else sends: a ministry pushes what its own system holds, the province only has a copy.

Of such a procedure no source of the tenant sends anything, whether the ministry's system has been read yet or not, and
whoever speaks for the dossier: two senders would overwrite each other (docs/adr/0017).
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy.engine import Connection

from lienthong.exchange.believed import BelievedDossier
from lienthong.exchange.senders import effective_modes
from lienthong.model.codes import SourceMode

#: Reasons for which a delivery waits: the ministry's record speaks and is sent from there; or the procedure is the
#: ministry's and its system does not show the dossier.
SENT_ELSEWHERE, EXPECTED_ELSEWHERE = "sent_elsewhere", "expected_elsewhere"
#: Before a procedure's code among the modes; a source id has no colon.
_PROCEDURE = "procedure:"


def told_modes(
    connection: Connection, tenant: str, modes: Mapping[str, SourceMode], covers: Mapping[str, str]
) -> dict[str, str]:
    """What exchange.derive_state.modes keeps: the mode that counts of each source, and of each procedure that a
    ministry sends the source that shows its dossiers.
    """
    told = {source_id: mode.value for source_id, mode in effective_modes(connection, tenant, modes).items()}
    return told | {f"{_PROCEDURE}{code}": source_id for code, source_id in covers.items()}


def standing(modes: Mapping[str, str], dossier: BelievedDossier) -> tuple[SourceMode, str | None]:
    """The mode that counts for a dossier, and why when it is not its source's. A source that is not named is only
    observed.
    """
    holder = modes.get(f"{_PROCEDURE}{dossier.procedure_code}")
    if holder is None:
        return SourceMode(modes.get(dossier.source_id, SourceMode.OBSERVE)), None
    return SourceMode.OBSERVE, SENT_ELSEWHERE if holder == dossier.source_id else EXPECTED_ELSEWHERE
