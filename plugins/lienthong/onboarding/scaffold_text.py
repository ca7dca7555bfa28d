"""The text of a first contract: YAML with the reasons beside it, in the order of the contracts that are there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from datetime import datetime

from lienthong.model.codes import DossierStatus
from lienthong.model.numbers import grouped
from lienthong.sources.contract import SourceContract
from lienthong.sources.profile import CodeWord, Proposal, SourceSight

_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_RESERVED = {"true", "false", "null"}
#: Section of `codes` → what it maps; STATUS sections get the label of each code.
_SECTIONS = {
    "status": "the system's status of a dossier → TrangThaiHoSo",
    "substatus": "status/sub-status → TrangThaiHoSo, where the two say more than the status",
    "step": "a step of processing → TrangThai of a progress step",
    "channel": "how the dossier came in → KenhThucHien: 1 direct, 2 online, 3 by post",
    "subject": "the applicant → LoaiDoiTuong: 1 citizen, 2 business, 3 state agency, 4 organisation",
    "return_method": "how the result is handed over → HinhThuc: 0 directly, 1 by post; `other` stands for the rest",
    "payment_method": "DuocThanhToanTrucTuyen: 1 through the portal, 2 through the system's own gateway, 0 neither",
    "document_role": "an attachment is a component or a result; `other` stands for the rest",
    "originality": "live, removed (the bin flips the sign) or left_out (groups): the latter two are stored, never sent",
}
#: Words that each system makes for itself: what another contract says of them says nothing here.
_OWN_WORDS = ("step",)
_ALWAYS = frozenset(_SECTIONS) - {"originality"}
_NAMES = {"igate": "iGate", "opencps": "OpenCPS"}
_STATUS = ("status", "substatus", "step")


def contract_text(
    contract: SourceContract, sight: SourceSight, proposal: Proposal, peers: Sequence[SourceContract], now: datetime
) -> tuple[str, int]:
    """The text, and how many words in it still want a code."""
    codes, open_words = _codes(contract, proposal, peers)
    head = _head(contract, sight, proposal, now)
    blocks = [
        _section(contract, proposal),
        _fields(contract, proposal),
        codes,
        _extensions(proposal),
        _ignore(proposal),
    ]
    section = _indented("\n".join(block for block in blocks if block))
    return f"{head}\n{contract.kind.name}:\n{section}", open_words


def _indented(block: str) -> str:
    """Below the key of the section; comments that stand beside lines stay where the others' comments are."""
    return "\n".join(f"  {re.sub('   #', ' #', line, count=1)}" if line else line for line in block.split("\n"))


def _head(contract: SourceContract, sight: SourceSight, proposal: Proposal, now: datetime) -> str:
    own = f"# Source contract: {contract.title} ({contract.tenant}). opencps_h17.yaml explains every line."
    zone = contract.time_zone
    remark = "the newest changes fall into office hours in it" if zone != "UTC" else "CHECK: the data look like UTC"
    tables = [f"#   {table.name}: {_amount(table.rows)}" for table in sight.tables]
    day = f"{now.astimezone(contract.zone):%Y-%m-%d}"
    lines = [
        own,
        f"# Written by `lienthong source add` on {day} from what {sight.server} showed:",
        *tables,
        f"# Words and JSON keys were counted in the newest {proposal.looked_at} dossiers at most; others may exist.",
        f"# Next: fill in what is marked `chưa ánh xạ`, then `lienthong source check {contract.source_id}`.",
        "",
        f"source_id: {contract.source_id}",
        f"title: {json.dumps(contract.title, ensure_ascii=False)}",
        f"profile: {contract.profile}",
        _noted(f"connection: {contract.connection}", "Airflow connection of the source: an account that may only read"),
        _noted(f"tenant: {contract.tenant}", "the sending province; never changed once data is loaded"),
        _noted(f"agency: {contract.agency}", "the agency in whose name we send"),
        _noted(f"time_zone: {zone}", remark),
        _noted(f'schedule: "{contract.schedule}"', "cron, in Vietnam's time"),
        *_full(contract),
        "",
        "# Incremental loads read again everything modified since the last load minus this.",
        f"overlap: {proposal.overlap}",
        "",
        '# How gently the source is read. `hours: "19:00-06:00"` would let it be read at night only.',
        f"read: {{{', '.join(f'{name}: {value}' for name, value in proposal.read.items())}}}",
        "",
        *proposal.more_lines,
        "# What belongs to this kind of record: a source is one kind of record of one system.",
    ]
    return "\n".join(lines)


def _section(contract: SourceContract, proposal: Proposal) -> str:
    section = contract.dossier
    lines = [
        _noted(f"portal_connection: {section.portal_connection}", "Airflow connection of the account on the portal"),
        _noted(f"mode: {section.mode.value}", "load only; docs/cutting-over.md leads on to shadow and own"),
        _noted(f"precedence: {section.precedence}", "lowest speaks when two sources hold the same dossier"),
        f"entities: [{', '.join(proposal.entities)}]",
        "",
        "# URL parameters that change without meaning anything.",
        f"volatile_query: [{', '.join(_word(name) for name in proposal.volatile_query)}]",
        "",
    ]
    return "\n".join(lines)


def _full(contract: SourceContract) -> list[str]:
    if contract.full is None:
        return []
    return [_noted(f'full: "{contract.full}"', "then everything is read: what was deleted, or changed unseen, shows")]


def _fields(contract: SourceContract, proposal: Proposal) -> str:
    """Nothing for a system whose fields have no paths."""
    if not proposal.paths:
        return ""
    lines = [
        "# Where our fields stand in the JSON, as far as that is not a documented name: entity → our field → path.",
        f"# CHECK: as other {_NAMES.get(contract.profile, contract.profile)} contracts have it; "
        "confirm with the operator",
        "fields:",
    ]
    for entity in dict.fromkeys(found.entity for found in proposal.paths):
        lines.append(f"  {entity}:")
        lines += [
            f"    {found.field}: {found.path}    # CHECK; {_rows(found.rows)}"
            for found in proposal.paths
            if found.entity == entity
        ]
    return "\n".join([*lines, ""])


def _codes(contract: SourceContract, proposal: Proposal, peers: Sequence[SourceContract]) -> tuple[str, int]:
    lines = [
        "# The system's words → codes of the national portal. A word that is missing here is reported, never guessed."
    ]
    lines.append("codes:")
    waiting = 0
    for section, meaning in _SECTIONS.items():
        if section not in proposal.codes and section not in _ALWAYS:
            continue
        mapped: list[str] = []
        unknown: list[str] = []
        for word in proposal.codes.get(section, ()):
            code, source = _code(section, word, peers)
            if code is None:
                unknown.append(f"    # chưa ánh xạ: {_word(word.word)} ({_rows(word.rows)})")
            else:
                mapped.append(_noted(f"    {_word(word.word)}: {code}", _label(section, code, word.rows, source)))
        waiting += len(unknown)
        lines.append(f"  # {meaning}.")
        hint = "   # write `word: code` lines below instead of {}" if unknown and not mapped else ""
        lines.append(f"  {section}:" if mapped else f"  {section}: {{}}{hint}")
        lines += [*mapped, *unknown]
    lines.append('  # Payment states that mean "paid in full".')
    lines.append(f"  paid: [{', '.join(json.dumps(word, ensure_ascii=False) for word in proposal.paid)}]")
    lines += [f"  {name}: {value}" for name, value in proposal.more_codes.items()]
    return "\n".join([*lines, ""]), waiting


def _code(section: str, word: CodeWord, peers: Sequence[SourceContract]) -> tuple[int | str | None, str]:
    """The code such systems always have; else, but for words of its own, the one that all peers give that know it."""
    if word.code is not None:
        return word.code, word.note
    if section in _OWN_WORDS:
        return None, ""
    known = {
        peer.source_id: getattr(peer.section.codes, section)[word.word]
        for peer in peers
        if word.word in getattr(peer.section.codes, section)
    }
    if len(set(known.values())) == 1:
        return next(iter(known.values())), f"CHECK: as in {', '.join(sorted(known))}"
    return None, ""


def _label(section: str, code: int | str, rows: int, source: str) -> str:
    label = DossierStatus(int(code)).label_vi if section in _STATUS else ""
    return "; ".join(part for part in (label, _rows(rows) if rows else "chưa gặp trong mẫu", source) if part)


def _extensions(proposal: Proposal) -> str:
    lines = ["# Values inside JSON columns: entity → column → key → our field."]
    body: list[str] = []
    taken: set[tuple[str, str]] = set()
    entities = dict.fromkeys(key.entity for key in proposal.keys)
    for entity in entities:
        columns: list[str] = []
        for column in dict.fromkeys(key.column for key in proposal.keys if key.entity == entity):
            found = [key for key in proposal.keys if key.entity == entity and key.column == column and key.rows]
            mapped = [key for key in found if key.field and (entity, key.field) not in taken]
            taken |= {(entity, key.field) for key in mapped if key.field}
            unknown = [
                f"      # chưa ánh xạ: {_word(key.key)} ({_rows(key.rows)})" for key in found if key not in mapped
            ]
            if mapped:
                columns.append(f"    {_word(column)}:")
                columns += [_noted(f"      {_word(key.key)}: {key.field}", _rows(key.rows)) for key in mapped]
                columns += unknown
            elif unknown:
                columns += [f"    # {_word(column)}:", *unknown]
        if any(not line.lstrip().startswith("#") for line in columns):
            body += [f"  {entity}:", *columns]
        elif columns:
            body += [f"  # {entity}:", *columns]
    if any(not line.lstrip().startswith("#") for line in body):
        lines += ["extensions:", *body]
    else:
        lines += ["extensions: {}", *body]
    return "\n".join([*lines, ""])


def _ignore(proposal: Proposal) -> str:
    lines = ['# Columns that are deliberately not read: table → [columns]; "*": this system doesn\'t have the table.']
    body = [
        f"  {_word(table)}: [{_list(columns)}]    # cột không có ở nguồn này"
        for table, columns in proposal.ignore.items()
    ]
    body += [f'  {_word(table)}: ["*"]    # bảng không có ở nguồn này' for table in proposal.absent]
    lines += ["ignore:", *body] if body else ["ignore: {}"]
    if proposal.unmapped:
        lines.append(f"  # cột chưa ai ánh xạ; {'' if body else 'xóa {} ở trên và '}bỏ dấu # để chủ ý không đọc:")
        lines += [f"  # {_word(table)}: [{_list(columns)}]" for table, columns in proposal.unmapped.items()]
    return "\n".join([*lines, ""])


def _noted(text: str, note: str) -> str:
    """A line with its comment, where the others' comments stand."""
    return f"{text:<33} # {note}"


def _list(words: Iterable[str]) -> str:
    return ", ".join(_word(word) for word in words)


def _word(word: str) -> str:
    """A word as YAML: plain where it can't be mistaken, else quoted, on one line whatever it holds."""
    if _PLAIN.fullmatch(word) and word.lower() not in _RESERVED:
        return word
    return json.dumps(word, ensure_ascii=not word.isprintable())


def _rows(rows: int) -> str:
    return f"{grouped(rows)} hàng"


def _amount(rows: int | None) -> str:
    return "too many rows to count" if rows is None else f"about {rows:,} rows"
