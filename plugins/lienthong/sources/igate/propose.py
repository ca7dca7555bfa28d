"""What a contract for an iGate should say. Its numbers are unverified: words are shown, facts get a code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from pydantic_core import from_json

from lienthong.connections import Connection
from lienthong.landing import BatchWriter, LandedBatch
from lienthong.model.canonical import Entity
from lienthong.sources.contract import SourceContract
from lienthong.sources.igate.canonical import ROWS
from lienthong.sources.igate.json_paths import find, word
from lienthong.sources.igate.look import sample
from lienthong.sources.igate.mapping import DOSSIER, ENTITY_TABLES, paths_of
from lienthong.sources.profile import CodeWord, Proposal
from lienthong.sources.scaffold_sample import sampled

#: Dossiers that words are looked for in; their papers are asked for one by one.
DOSSIERS = 200

#: Codes that are facts (portal-exchange §6.4, sample 09, and what the profile itself calls its two kinds of papers).
USUAL: Mapping[str, Mapping[str, int | str]] = {
    "status": {"0": 1},
    "substatus": {},
    "step": {"60e409823dfc9609723e493c": 1},
    "channel": {},
    "subject": {},
    "return_method": {"5f8968888fffa53e4c073ded": 0},
    "payment_method": {},
    "document_role": {"form": "component", "attachment": "result"},
}
_WORDS: Mapping[str, tuple[Entity, str]] = {
    "status": (Entity.DOSSIER, "status_raw"),
    "step": (Entity.STEP, "status_raw"),
    "channel": (Entity.DOSSIER, "channel"),
    "subject": (Entity.DOSSIER, "subject_type"),
    "return_method": (Entity.DOSSIER, "return_method"),
    "payment_method": (Entity.DOSSIER, "online_payment"),
}
READ = {"page_rows": 200, "pause_ms": 0}


class _Sampling:
    """The part of the profile that `sampled` asks for, without the profile, which imports this module."""

    def sample(self, contract: SourceContract, connection: Connection, writer: BatchWriter, dossiers: int) -> str:
        return sample(contract, connection, writer, dossiers)


def propose(contract: SourceContract, connection: Connection) -> Proposal:
    """See `profile.Profile.propose`."""
    draft = contract.model_copy(update={"entities": tuple(ENTITY_TABLES)})
    with sampled(_Sampling(), draft, connection, DOSSIERS) as batch:
        unmapped = batch.manifest.facts.unmapped_columns
        return Proposal(
            entities=tuple(ENTITY_TABLES),
            codes={section: _section(draft, batch, section) for section in USUAL},
            paid=(),
            keys=(),
            absent=(),
            ignore={},
            unmapped={table: names for table, names in unmapped.items() if names},
            volatile_query=(),
            looked_at=min(DOSSIERS, batch.manifest.tables[DOSSIER].rows),
            overlap="12h",
            read=READ,
            more_codes={"removed": "[]  # các số của dossierStatus có nghĩa là đã xóa"},
        )


def _section(draft: SourceContract, batch: LandedBatch, section: str) -> tuple[CodeWord, ...]:
    """The known words, then the others found, most frequent first."""
    usual, seen = USUAL[section], Counter[str]()
    if section in _WORDS:
        entity, field = _WORDS[section]
        path = tuple(paths_of(draft, entity)[field].split("."))
        for _, _, raw in batch.batches(ENTITY_TABLES[entity], ["item"], rows=ROWS):
            seen.update(
                found for text in raw.column(0).to_pylist() if (found := word(find(from_json(str(text)), path)))
            )
    words = [CodeWord(known, seen[known], code) for known, code in usual.items()]
    return (*words, *(CodeWord(found, rows, None) for found, rows in seen.most_common() if found not in usual))
