"""How the portal is talked to: `include/exchange/portal.yaml`, read strictly."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from lienthong.settings import PROJECT
from lienthong.yaml_reader import load

PORTAL_FILE = PROJECT / "include" / "exchange" / "portal.yaml"

LONGEST_BACKOFF_S = 30.0

#: Calls handed to a worker at once: the one under way and the next, so that no worker waits for the warehouse.
CALLS_AHEAD = 2

Words = Annotated[tuple[str, ...], Field(min_length=1)]


class Endpoint(StrEnum):
    """The two paths behind which services live (portal-exchange §1); each has its own rate limit."""

    INTEGRATION = "integration"
    SHARE = "share"


class Envelope(StrEnum):
    """SESSION: one path, service named in the body. LGSP: service named in the path, answers inside `message`."""

    SESSION = "session"
    LGSP = "lgsp"


class DstcodeIn(StrEnum):
    """Where the provider code travels; both are seen in the wild (portal-exchange §1)."""

    HEADER = "header"
    QUERY = "query"


class StepsSentTwice(StrEnum):
    """What the portal does with a progress step that it holds already (portal-exchange §2.4): takes it for none, or
    shows it twice.
    """

    IGNORE = "ignore"
    DOUBLE = "double"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Limit(_Strict):
    """A token bucket: `rate` calls per second, at most `burst` at once."""

    rate: float = Field(gt=0)
    burst: float = Field(ge=1)


class Limits(_Strict):
    """One bucket per endpoint and tenant."""

    integration: Limit
    share: Limit

    def of(self, endpoint: Endpoint) -> Limit:
        return self.integration if endpoint is Endpoint.INTEGRATION else self.share


class PortalSettings(_Strict):
    """Everything about the exchange that is configuration; times in seconds. See the comments of portal.yaml.

    `batch_size` 1 is the careful value: a success for several dossiers is believed for each of them, unless the answer
    counts them ("49/50"); nothing more can be known. A refused batch may be taken in part (`refusals_are_whole`).
    `history_days`: what was received longer ago is history; more than `history_most` of it is not sent by itself by a
    first push.
    `workers`: calls in flight at once; `mix_steps`: one progress call may carry steps of several dossiers.
    `park_after`: tries without an answer, while the portal answers others, after which a dossier is parked and a step
    is left to people. `look_after_s`: when, after a call without an answer, the portal is asked what it shows.
    `total_timeout_s` bounds one call from connect to the last byte, `retry_after_max_s` the wait that the portal may
    ask for. `lookup_steps`: under which name TraCuuHoSo shows a dossier's steps; None: it shows none.
    `decisive_fields`: wire names that decide whether the portal's copy equals ours; `lookup_names`: other names under
    which TraCuuHoSo may show a field.
    """

    batch_size: int = Field(default=1, ge=1, le=1000)
    step_chunk: int = Field(default=10, ge=1, le=100)
    mix_steps: bool = False
    workers: int = Field(default=4, ge=1, le=32)
    steps_sent_twice: StepsSentTwice = StepsSentTwice.DOUBLE
    send_v2_fields: bool = True
    refusals_are_whole: bool = False
    envelope: Envelope = Envelope.SESSION
    dstcode_in: DstcodeIn = DstcodeIn.HEADER
    session_life_s: float = Field(default=540, gt=0, le=600)
    connect_timeout_s: float = Field(default=10, gt=0)
    read_timeout_s: float = Field(default=60, gt=0)
    total_timeout_s: float = Field(default=70, gt=0)
    answer_max_bytes: int = Field(default=10_000_000, ge=10_000)
    keep_alive: bool = False
    max_attempts: int = Field(default=3, ge=1, le=10)
    backoff_s: float = Field(default=2, ge=0)
    retry_after_max_s: float = Field(default=30, ge=0)
    settle_after_s: float = Field(default=60, ge=1)
    settle_max_s: float = Field(default=3600, ge=1)
    park_after: int = Field(default=10, ge=2)
    look_after_s: float = Field(default=3600, ge=1)
    lease_s: float = Field(default=600, gt=0)
    limits: Limits
    history_days: int = Field(default=30, ge=1)
    history_most: int = Field(default=50, ge=0)
    decisive_fields: tuple[str, ...] = (
        "TrangThaiHoSo", "MaTTHC", "NgayTiepNhan", "NgayHenTra", "NgayTuChoi", "NgayKetThucXuLy", "NgayTra",
    )  # fmt: skip
    lookup_names: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    lookup_steps: str | None = Field(default=None, min_length=1)
    success_words: Words
    refusal_words: Words
    exists_words: Words
    exists_codes: tuple[int, ...] = (0, 3, -3)
    absent_words: Words
    session_words: Words

    @model_validator(mode="after")
    def _lease_outlives_a_call(self) -> Self:
        if self.lease_s < CALLS_AHEAD * self.longest_call_s:
            raise ValueError(
                f"lease_s must be at least {CALLS_AHEAD * self.longest_call_s:g}, what a call and the one before it may"
                " take: each max_attempts times total_timeout_s, and the waits between (retry_after_max_s, or the"
                " doubling backoff_s)"
            )
        return self

    @model_validator(mode="after")
    def _mixing_spoils_nothing(self) -> Self:
        if self.mix_steps and not (self.refusals_are_whole or self.repeats_are_harmless):
            raise ValueError(
                "mix_steps needs refusals_are_whole: true or steps_sent_twice: ignore; else one refused step would"
                " leave the steps of every dossier of its call in doubt"
            )
        return self

    @property
    def repeats_are_harmless(self) -> bool:
        """Whether a step may be sent again without harm."""
        return self.steps_sent_twice is StepsSentTwice.IGNORE

    @property
    def settles_steps(self) -> bool:
        """Whether a step that may have arrived is settled by itself: asked about, or simply sent again."""
        return self.repeats_are_harmless or self.lookup_steps is not None

    @property
    def longest_call_s(self) -> float:
        """What one call with its repetitions may take."""
        waits = (max(self.retry_after_max_s, self.backoff(attempt)) for attempt in range(1, self.max_attempts))
        return self.max_attempts * self.total_timeout_s + sum(waits)

    def backoff(self, attempt: int) -> float:
        """Seconds to wait after the `attempt`-th try (≥ 1) of a call."""
        return float(min(self.backoff_s * 2 ** (attempt - 1), LONGEST_BACKOFF_S))

    def settle_delay(self, attempts: int) -> float:
        """Seconds until an unsettled dossier is asked about again, after `attempts` unanswered tries (≥ 1)."""
        return float(min(self.settle_after_s * 2 ** min(attempts - 1, 20), self.settle_max_s))


def load_portal_settings(path: Path | None = None) -> PortalSettings:
    """Read portal.yaml. ContractError names the file, and each wrong key with its line."""
    return load(path or PORTAL_FILE, PortalSettings)
