"""A province's ratings of dossiers, after the known table DanhGiaHaiLong, served over HTTP with a key."""

from simulator.danhgia.server import RatingServer

__all__ = ["RatingServer"]
