"""Asking the portal, dossier by dossier, what it shows, and keeping how that compares with what we would send.

Bounded, resumable and safe to run twice at once: each dossier is leased before it is asked about, what is known about
it is written before the next batch, and a dossier compared already is not asked about again while its payload stays.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine

from lienthong.exchange.believed import load_believed
from lienthong.exchange.client import Answer, PortalClient
from lienthong.exchange.compare import PROCEDURE, Comparison, Difference, Verdict, compare
from lienthong.exchange.evidence import record_calls
from lienthong.exchange.limiter import SharedBucket
from lienthong.exchange.patience import unreachable
from lienthong.exchange.payload import PAYLOAD_RECIPE, Wire, as_sent, dossier_payload, payload_hash
from lienthong.exchange.replies import CallOutcome
from lienthong.exchange.settings import PortalSettings
from lienthong.model.identifiers import base_procedure_code
from lienthong.warehouse.statements import run

#: Dossiers leased, asked about and written down together.
BATCH = 50
#: Deliveries looked at for one batch.
LOOK = 2000
BEFORE_ALL = "00000000-0000-0000-0000-000000000000"
LONG_AGO = datetime(1, 1, 2, tzinfo=UTC)


@dataclass(frozen=True)
class Scope:
    """Which dossiers are asked about. `since`: older comparisons count as none.

    `undecided`: only what neither we delivered nor anybody decided about since `since`; with `assumed` also what was
    only declared to be on the portal.
    """

    since: datetime = LONG_AGO
    undecided: bool = False
    assumed: bool = False


@dataclass(frozen=True)
class _Question:
    dossier_id: str
    fence: int
    code: str
    payload: Wire
    hash: bytes


@dataclass
class Asker:
    """One run of questions for one tenant. `now` is the clock at its start; `asked` counts answers kept."""

    engine: Engine
    client: PortalClient
    tenant: str
    settings: PortalSettings
    now: datetime
    run_key: str
    asked: int = 0
    _started: datetime = field(default_factory=lambda: datetime.now(UTC))

    def ask(self, scope: Scope, limit: int | None = None) -> int:
        """Ask about at most `limit` dossiers of `scope` (all: None) in the order of their ids; returns how many answers
        were kept. PortalUnreachableError and PortalAccessError stop it; what was answered until then is kept.
        """
        if self.client.limiter is None:
            self.client.limiter = SharedBucket(self.engine, self.tenant, self.settings)
        after: str | None = BEFORE_ALL
        left = limit
        while after is not None and (left is None or left > 0):
            questions, after = self._claim(scope, after, BATCH if left is None else min(BATCH, left))
            self.asked += self._ask_batch(questions)
            left = None if left is None else left - len(questions)
        return self.asked

    def clock(self) -> datetime:
        """The run's own time: `now` plus what has passed since it began."""
        return self.now + (datetime.now(UTC) - self._started)

    def _claim(self, scope: Scope, after: str, size: int) -> tuple[list[_Question], str | None]:
        """Lease up to `size` dossiers among the next LOOK after an id; the questions, and the id to go on after."""
        now = self.clock()
        with self.engine.begin() as connection:
            run(connection, "exchange/lock_derive_state", tenant=self.tenant)  # claims of a tenant follow each other
            run(connection, "exchange/plan_by_key")
            claimed = run(
                connection,
                "exchange/claim_comparisons",
                tenant=self.tenant,
                after=after,
                look=LOOK,
                size=size,
                since=scope.since,
                frozen_at=scope.since,
                undecided=scope.undecided,
                assumed=scope.assumed,
                now=now,
                lease_until=now + timedelta(seconds=self.settings.lease_s),
            ).one()
            fences = dict(zip(claimed.dossier_ids or (), claimed.fences or (), strict=True))
            believed = load_believed(connection, self.tenant, sorted(fences)) if fences else []
        questions = [
            _Question(d.dossier_id, fences[d.dossier_id], d.dossier_code, payload, payload_hash(payload))
            for d in believed
            if d.dossier_code is not None
            for payload in (dossier_payload(d),)
        ]
        return questions, claimed.after

    def _ask_batch(self, questions: Sequence[_Question]) -> int:
        """Ask one after the other and write the answers down together; what was not asked is given back."""
        if not questions:
            return 0
        found: list[tuple[_Question, Comparison, datetime]] = []
        try:
            for question in questions:
                answer = self.client.find_dossier(question.code)
                found.append((question, self._judge(question, answer), self.clock()))
        finally:
            self._keep(found, questions[len(found) :])
        return len(found)

    def _judge(self, question: _Question, answer: Answer) -> Comparison:
        if answer.outcome is CallOutcome.OK:
            return compare(
                as_sent(question.payload, v2=self.settings.send_v2_fields), answer.result, self.settings
            )  # fmt: skip
        if answer.outcome is CallOutcome.REJECTED:
            return Comparison(Verdict.UNKNOWN, (Difference.REFUSED,))
        raise unreachable(answer, self.tenant)

    def _keep(self, found: Sequence[tuple[_Question, Comparison, datetime]], left: Sequence[_Question]) -> None:
        with self.engine.begin() as connection:
            if found:
                run(connection, "exchange/store_comparisons", [self._row(*each) for each in found])
            run(
                connection,
                "exchange/release_comparisons",
                tenant=self.tenant,
                dossier_ids=[question.dossier_id for question in left],
                fences=[question.fence for question in left],
            )
            record_calls(connection, self.tenant, self.run_key, self.client.take_calls())

    def _row(self, question: _Question, comparison: Comparison, asked_at: datetime) -> dict[str, Any]:
        shown: Mapping[str, str] = comparison.seen.get(PROCEDURE, {})
        return {
            "tenant": self.tenant,
            "dossier_id": question.dossier_id,
            "fence": question.fence,
            "dossier_code": question.code,
            "wanted_hash": question.hash,
            "recipe": PAYLOAD_RECIPE,
            "verdict": comparison.verdict.value,
            "kinds": [kind.value for kind in comparison.kinds],
            "fields": list(comparison.fields),
            "seen": json.dumps(comparison.seen, ensure_ascii=False, sort_keys=True),
            "portal_procedure": base_procedure_code(shown.get("portal")),
            "asked_at": asked_at,
        }


@dataclass(frozen=True)
class ShadowSummary:
    """All comparisons of a tenant's payloads of now. `verdicts` and `not_compared` add up to `dossiers`; a dossier
    counts under each of its `kinds` and differing `fields`.
    """

    tenant: str
    dossiers: int
    not_compared: int
    verdicts: dict[Verdict, int]
    kinds: dict[Difference, int]
    fields: dict[str, int]

    def counts(self) -> dict[str, Any]:
        """The same with plain text as keys, for XCom."""
        return {
            "tenant": self.tenant,
            "dossiers": self.dossiers,
            "not_compared": self.not_compared,
            "verdicts": {verdict.value: number for verdict, number in self.verdicts.items()},
            "kinds": {kind.value: number for kind, number in self.kinds.items()},
            "fields": dict(self.fields),
        }


def shadow_summary(engine: Engine, tenant: str) -> ShadowSummary:
    """Count what comparisons came to; every verdict and kind is there."""
    with engine.connect() as connection:
        rows = run(connection, "exchange/count_comparisons", tenant=tenant).all()
        fields = run(connection, "exchange/count_comparison_fields", tenant=tenant).all()
    totals = {row.verdict: int(row.dossiers) for row in rows if row.kind is None}
    kinds: dict[str, int] = {}
    for row in rows:
        if row.kind is not None:
            kinds[row.kind] = kinds.get(row.kind, 0) + int(row.dossiers)
    return ShadowSummary(
        tenant,
        sum(totals.values()),
        totals.get(None, 0),
        {verdict: totals.get(verdict.value, 0) for verdict in Verdict},
        {kind: kinds.get(kind.value, 0) for kind in Difference},
        {row.field: int(row.dossiers) for row in fields},
    )


@dataclass(frozen=True)
class ComparedDossier:
    """One dossier for a work list: its code, how and in which fields it differs; `seen` values are not personal."""

    code: str
    verdict: Verdict
    kinds: tuple[Difference, ...]
    fields: tuple[str, ...]
    seen: Mapping[str, Mapping[str, str]]


def compared_dossiers(
    engine: Engine, tenant: str, kind: Difference | None = None, most: int = 20
) -> list[ComparedDossier]:
    """Dossiers of one kind (None: all that are not the same), by code, at most `most`."""
    with engine.connect() as connection:
        rows = run(
            connection, "exchange/read_comparisons", tenant=tenant, kind=kind.value if kind else None, most=most
        ).all()
    return [
        ComparedDossier(
            row.dossier_code, Verdict(row.verdict), tuple(map(Difference, row.kinds)), tuple(row.fields), dict(row.seen)
        )
        for row in rows
    ]


def forget_comparisons(engine: Engine, tenant: str, now: datetime) -> None:
    """Ask about every dossier again."""
    with engine.begin() as connection:
        run(connection, "exchange/forget_comparisons", tenant=tenant, now=now)
