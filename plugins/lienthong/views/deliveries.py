"""Where the delivery of a province's dossiers stands, why some are held, and how records come to be these dossiers."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Engine

from lienthong.exchange.summary import delivery_summary
from lienthong.model.numbers import grouped
from lienthong.views import labels
from lienthong.warehouse.statements import run


@dataclass(frozen=True)
class DeliveryView:
    """One province. `dossiers`, `steps`: one number for each of `labels.DELIVERY_COLUMNS` and `labels.STEP_COLUMNS`;
    `blocked`: reason in words and dossiers, the most first; `records` of the sources are `believed` dossiers, of which
    `considered` ones are in the columns.
    """

    tenant: str
    dossiers: tuple[int, ...]
    steps: tuple[int, ...]
    blocked: tuple[tuple[str, int], ...]
    records: int
    believed: int
    considered: int

    @property
    def record_sentences(self) -> list[str]:
        """Why there are more records than dossiers, or more dossiers than in the columns, if so."""
        sentences = []
        if doubles := self.records - self.believed:
            sentences.append(
                f"{self.tenant}: {grouped(self.records)} bản ghi nguồn là {grouped(self.believed)} hồ sơ "
                f"({grouped(doubles)} bản ghi trùng mã hồ sơ với bản ghi khác)."
            )
        if (later := self.believed - self.considered) > 0:
            sentences.append(f"{self.tenant}: {grouped(later)} hồ sơ mới nạp, lần gửi tới sẽ xét.")
        return sentences

    @property
    def blocked_sentence(self) -> str | None:
        """Why dossiers are blocked; None where none is."""
        reasons = ", ".join(f"{title}: {grouped(number)}" for title, number in self.blocked)
        return f"{self.tenant} bị chặn vì: {reasons}." if reasons else None


def read_deliveries(engine: Engine, tenants: list[str]) -> list[DeliveryView]:
    """The deliveries of some provinces, in their order."""
    with engine.connect() as connection:
        titles = labels.BLOCKED_BECAUSE | {
            row.rule_id: row.title_vi for row in run(connection, "quality/read_rule_titles")
        }
    return [_read(engine, tenant, titles) for tenant in tenants]


def _read(engine: Engine, tenant: str, titles: dict[str, str]) -> DeliveryView:
    summary = delivery_summary(engine, tenant)
    with engine.connect() as connection:
        counted = run(connection, "dossier/count_records", tenant=tenant).one()
    states = {state.value: number for state, number in summary.states.items()}
    states |= {"waiting": states["waiting"] - summary.watched, "watched": summary.watched}
    return DeliveryView(
        tenant,
        tuple(sum(states.get(state, 0) for state in shown) for shown in labels.DELIVERY_COLUMNS.values()),
        tuple(summary.steps.get(state, 0) for state in labels.STEP_COLUMNS.values()),
        tuple(
            (titles.get(reason, reason), number)
            for reason, number in sorted(summary.reasons.items(), key=lambda item: (-item[1], item[0]))
        ),
        records=counted.records,
        believed=counted.dossiers,
        considered=sum(summary.states.values()),
    )
