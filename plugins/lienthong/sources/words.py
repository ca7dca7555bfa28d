"""Counting the words of a batch that nobody has a code for, list by list."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

import polars as pl

from lienthong.landing import UNREADABLE, LandedBatch
from lienthong.sources.chunk import Chunk
from lienthong.sources.contract import SourceContract


@dataclass(frozen=True)
class WordList:
    """One list of codes: `kind` is its name, `words` its column of a chunk, `columns` what that takes of the landed
    table, `known` whether a word is mapped, `told` how a word is shown."""

    kind: str
    words: Callable[[Chunk], pl.Series]
    columns: tuple[str, ...]
    known: Callable[[str], bool]
    told: Callable[[str], str] = str


def column_words(kind: str, column: str, known: Collection[str]) -> list[WordList]:
    """The words of one text column; nothing to look for where `other` maps every word."""
    return [] if "other" in known else [WordList(kind, text_of(column), (column,), known.__contains__)]


def text_of(column: str) -> Callable[[Chunk], pl.Series]:
    return lambda chunk: chunk.text(column)


def count_unknown(
    contract: SourceContract, batch: LandedBatch, lists: Mapping[str, list[WordList]]
) -> Counter[tuple[str, str]]:
    """(list, word) → rows, of words that no code is for, by landed table. Empty words are the gate's business.

    Beside the words, (zero_date, table.column) counts dates of nothing.
    """
    counts: Counter[tuple[str, str]] = Counter()
    for name, wanted in lists.items():
        table = batch.manifest.tables.get(name)
        if table is None:
            continue
        there = {column for column, _ in table.columns}
        columns = dict.fromkeys([UNREADABLE, *(name for one in wanted for name in one.columns if name in there)])
        for _, _, raw in batch.batches(name, list(columns)):
            chunk = Chunk(raw, contract.time_zone)
            counts.update({("zero_date", f"{name}.{column}"): rows for column, rows in chunk.zero_dates().items()})
            for one in wanted:
                for word, rows in one.words(chunk).drop_nulls().rename("word").value_counts().iter_rows():
                    shown = one.told(word)
                    if shown and not one.known(word):
                        counts[(one.kind, shown)] += rows
    return counts


def rows_of(batch: LandedBatch, table: str, *columns: str) -> Iterator[tuple[str, ...]]:
    """Columns of a small landed table as text, '' for null and for a column it lacks; nothing without the table."""
    if table not in batch.manifest.tables:
        return
    there = {name for name, _ in batch.manifest.tables[table].columns}
    for _, _, piece in batch.batches(table, [column for column in columns if column in there]):
        frame = pl.from_arrow(piece)
        assert isinstance(frame, pl.DataFrame)
        texts = [
            (pl.col(name).cast(pl.String).fill_null("") if name in there else pl.lit("").alias(name))
            for name in columns
        ]
        yield from frame.select(texts).iter_rows()
