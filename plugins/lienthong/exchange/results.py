"""What the portal answered, into the warehouse: many calls' results in one transaction, with their evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.engine import Connection

from lienthong.exchange.client import Answer
from lienthong.exchange.evidence import record_calls, write_answer
from lienthong.exchange.items import Done, Item, Move, Results, StepState
from lienthong.exchange.leases import Leases
from lienthong.warehouse.statements import run

#: In this order: what keeps a lease first, giving it back last.
_ORDER = (
    (Move.PRESENT, "exchange/settle_deliveries"),
    (Move.ABSENT, "exchange/settle_deliveries"),
    (Move.TAKE_OVER, "exchange/take_over_deliveries"),
    (Move.ACKNOWLEDGE, "exchange/acknowledge_deliveries"),
    (Move.REJECT, "exchange/reject_deliveries"),
    (Move.DOUBT, "exchange/doubt_deliveries"),
    (Move.LOOKED, "exchange/end_doubts"),
    (Move.OWE_AGAIN, "exchange/end_doubts"),
    (Move.LOOK_LATER, "exchange/end_doubts"),
    (Move.RELEASE, "exchange/release_deliveries"),
    (Move.RELEASE_SENT, "exchange/release_deliveries"),
)


@dataclass
class Ledger:
    """Writes results of a drain, and keeps the evidence of calls until it is written. `calls` counts them."""

    leases: Leases
    calls: int = 0
    _unkept: list[Answer] = field(default_factory=list)

    def note(self, calls: Sequence[Answer]) -> None:
        """Evidence to be written with the next results."""
        self._unkept.extend(calls)

    def write(self, results: Results) -> Done:
        """Write `results`; what another drain took over meanwhile is left alone and not in what comes back."""

        def work(connection: Connection) -> Done:
            done = Done()
            if ids := results.dossier_ids():
                self.leases.lock(connection, ids)
            self._write_steps(connection, results, done)
            for move, statement in _ORDER:
                if entries := results.moves.get(move):
                    rows = run(connection, statement, self._values(move, entries))
                    done.moves[move] |= {row.dossier_id for row in rows}
            return done

        done = write_answer(self.leases.engine, self.leases.tenant, self.leases.run_key, self._unkept, work)
        self.calls += len(self._unkept)
        self._unkept = []
        return done

    def keep_calls(self) -> None:
        """Keep the evidence of calls that changed nothing."""
        if self._unkept:
            with self.leases.engine.begin() as connection:
                record_calls(connection, self.leases.tenant, self.leases.run_key, self._unkept)
            self.calls += len(self._unkept)
            self._unkept = []

    def _values(self, move: Move, entries: Sequence[tuple[Item, Answer | None]]) -> dict[str, Any]:
        values: dict[str, Any] = {
            "tenant": self.leases.tenant,
            "dossier_ids": [item.dossier_id for item, _ in entries],
            "fences": [item.fence for item, _ in entries],
        }
        if move in (Move.PRESENT, Move.ABSENT):
            values["presences"] = [move.value] * len(entries)
        if move in (Move.RELEASE, Move.RELEASE_SENT):
            values["keep_sent"] = move is Move.RELEASE_SENT
        if move in (Move.ACKNOWLEDGE, Move.REJECT, Move.DOUBT):
            values |= {
                "outcomes": [answer and answer.outcome.value for _, answer in entries],
                "codes": [answer and answer.code for _, answer in entries],
                "messages": [(answer and answer.message) or None for _, answer in entries],
            }
        if move in (Move.LOOKED, Move.OWE_AGAIN, Move.LOOK_LATER):
            values |= {"owe_again": move is Move.OWE_AGAIN, "later": move is Move.LOOK_LATER}
            values |= {"missing": [not (answer and answer.result) for _, answer in entries]}
        if move is Move.DOUBT:
            settings = self.leases.settings
            values["delays_s"] = [settings.settle_delay(item.attempts + 1) for item, _ in entries]
        if move in (Move.ACKNOWLEDGE, Move.DOUBT, Move.TAKE_OVER, Move.LOOKED, Move.OWE_AGAIN, Move.LOOK_LATER):
            values["now"] = self.leases.clock()
        return values

    def _write_steps(self, connection: Connection, results: Results, done: Done) -> None:
        if not results.steps:
            return
        settings = self.leases.settings
        rows = run(
            connection,
            "exchange/finish_steps",
            tenant=self.leases.tenant,
            dossier_ids=[step.item.dossier_id for step in results.steps],
            fences=[step.item.fence for step in results.steps],
            step_keys=[step.key for step in results.steps],
            states=[step.state.value for step in results.steps],
            outcomes=[step.answer and step.answer.outcome.value for step in results.steps],
            codes=[step.answer and step.answer.code for step in results.steps],
            delays_s=[settings.settle_delay(step.attempts + 1) for step in results.steps],
            now=self.leases.clock(),
        )
        for row in rows:
            done.steps[StepState(row.state)].add((row.dossier_id, row.step_key))
