"""The one hierarchy of errors. A terminal error needs a person; a transient one is worth another try as it is.

Every message names, as far as known, the source, the load, the key and what to do next, and never personal data.
"""

from __future__ import annotations


class LienThongError(Exception):
    """Base of all errors raised on purpose.

    `what` says what is wrong; `next_step` what a person (or the scheduler) does about it.
    """

    def __init__(
        self,
        what: str,
        *,
        next_step: str,
        source: str | None = None,
        load: int | str | None = None,
        key: str | None = None,
    ) -> None:
        self.what = what
        self.next_step = next_step
        self.source = source
        self.load = load
        self.key = key
        super().__init__(str(self))

    def __str__(self) -> str:
        where = [
            f"{name} {value}"
            for name, value in (("source", self.source), ("load", self.load), ("key", self.key))
            if value is not None
        ]
        prefix = f"[{', '.join(where)}] " if where else ""
        return f"{prefix}{self.what} Next: {self.next_step}"

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.what, self.next_step, self.source, self.load, self.key))


def _rebuild(
    kind: type[LienThongError], what: str, next_step: str, source: str | None, load: int | str | None, key: str | None
) -> LienThongError:
    return kind(what, next_step=next_step, source=source, load=load, key=key)


class TerminalError(LienThongError):
    """Trying again changes nothing; a person must act."""


class TransientError(LienThongError):
    """The same call may succeed later: networks, locks, outages."""


class ContractError(TerminalError):
    """A source contract, an index definition or a suite can't be used as written."""


class ArgumentError(ContractError):
    """What was typed on the command line, or given to a run as a parameter, can't be used; no file needs editing."""


class SourceUnreachableError(TransientError):
    """The source system did not answer."""


class SourceAnswerError(TransientError):
    """The source system answered, but not with what was asked for: an error page, a torn or a repeated page."""


class SourceAccessError(TerminalError):
    """The source system refused our credentials or a table."""


class SchemaDriftError(TerminalError):
    """A source no longer has the tables or columns that its contract maps, or has ones nobody mapped."""


class CollapsedExtractError(TerminalError):
    """An extract lost what the overlap window had before: promotion stops, the last good state stays."""


class LandingCorruptError(TerminalError):
    """A landed batch no longer equals its manifest."""


class ConservationError(TerminalError):
    """A load does not add up: extracted differs from the sum of its outcomes."""


class GateError(TerminalError):
    """A batch-level expectation failed, or a suite and the quarantine statement disagree."""


class LoadStateError(TerminalError):
    """A load was asked for a step that its state doesn't allow."""


class WarehouseUnreachableError(TransientError):
    """The warehouse does not answer, or went away in the middle of a step."""


class WarehouseTroubleError(TransientError):
    """The warehouse answers, but lacks memory or connections, or failed inside."""


class WarehouseRefusedError(TransientError):
    """The warehouse refused a statement or a row. Kind, constraint and table are told, never the row."""


class DiskFullError(TransientError):
    """A disk is full: of the landing area, the reports or the warehouse. Nothing half-written counts."""


class FencedError(TransientError):
    """Another copy of this work took over; what this copy did has no effect."""


class NotReadyError(TransientError):
    """Something that this step builds on has not happened yet."""


class BusyError(TransientError):
    """A lock or lease is held by another run."""


class PortalUnreachableError(TransientError):
    """The portal did not answer, or answered with a server error."""


class PortalAccessError(TerminalError):
    """The portal refused our account."""


class HistoryUndecidedError(TerminalError):
    """A source that comes to `own` has old dossiers about which nobody decided: nothing of it is sent."""


class FinalScoreExistsError(TerminalError):
    """The month has its final score: it was published, and another one does not replace it."""


class DefectError(TerminalError):
    """A fault of this program, or an error that it did not foresee."""


class AlertChannelError(TransientError):
    """A channel for alerts (e-mail, web hook) did not take one; it is told later."""
