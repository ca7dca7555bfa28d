"""Landing: what a source sent, as it sent it. Immutable Parquet on any fsspec URL, with a manifest written last."""

from lienthong.landing.batch import LandedBatch, Sieve
from lienthong.landing.checkpoint import Checkpoint
from lienthong.landing.manifest import BatchFacts, LandedFile, LandedTable, Manifest, Watermark
from lienthong.landing.store import LandingStore
from lienthong.landing.writer import UNREADABLE, BatchWriter

__all__ = [
    "UNREADABLE",
    "BatchFacts",
    "BatchWriter",
    "Checkpoint",
    "LandedBatch",
    "LandedFile",
    "LandedTable",
    "LandingStore",
    "Manifest",
    "Sieve",
    "Watermark",
]
