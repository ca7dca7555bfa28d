"""Petitions and ratings between runs: one file per province and one ledger, in the simulator's state folder."""

from __future__ import annotations

from pathlib import Path

from simulator.feedback.book import Feedback, FeedbackChange
from simulator.feedback.ledger import update_feedback_ledger, write_feedback_ledger
from simulator.world import World


def ledger_path(folder: Path) -> Path:
    return folder / "feedback.sqlite"


def all_of(folder: Path, world: World) -> dict[str, Feedback]:
    """What the citizens of every province say, as it was kept, else made from the world. ValueError for a torn file."""
    found, fresh = {}, not ledger_path(folder).exists()
    for province in world.provinces:
        path = _path(folder, province.code)
        if path.exists():
            found[province.code] = Feedback.load(world, province.code, path)
        else:
            found[province.code], fresh = Feedback.of(world, province.code), True
            found[province.code].save(path)
    if fresh:
        write_feedback_ledger(
            (entry for feedback in found.values() for entry in feedback.ledger()), ledger_path(folder)
        )
    return found


def advance(folder: Path, feedback: Feedback, seed: int, changes: int, at: int) -> list[FeedbackChange]:
    """A third as much happens to petitions and ratings as to dossiers; it is kept."""
    made = feedback.advance(seed, max(1, changes // 3), at)
    update_feedback_ledger((entry for change in made for entry in feedback.entries(change)), ledger_path(folder))
    feedback.save(_path(folder, feedback.province))
    return made


def forget(folder: Path) -> None:
    """Another world has other citizens."""
    for leftover in folder.glob("feedback*"):
        leftover.unlink()


def _path(folder: Path, province: str) -> Path:
    return folder / f"feedback-{province}.json"
