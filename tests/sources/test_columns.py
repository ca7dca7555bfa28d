"""Whole columns are cleaned and typed just as one value at a time would be."""

from __future__ import annotations

import json
import unicodedata
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from zoneinfo import ZoneInfo

import polars as pl
import pyarrow as pa
import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from lienthong.landing import UNREADABLE
from lienthong.model.identifiers import base_procedure_code, normalise_agency_code
from lienthong.model.kinds.dossier import DOSSIER, FEE
from lienthong.model.kinds.spec import ValueType
from lienthong.sources.chunk import Chunk
from lienthong.sources.kit.sql.rows_to_arrow import landing_schema, to_batch
from lienthong.sources.text_cleaning import clean, without_query
from lienthong.sources.typing_columns import looked_up, typed

ZONE = "Asia/Ho_Chi_Minh"
VIETNAMESE = st.text(
    alphabet="aăâeêioôơuưyđÁÀẢÃẠẮẰẤẦẾỀỐỒỚỜỨỪ \u0301\u0300\u0302\u0303\u0309\u0323\u031bA/-1", max_size=12
)


@given(st.lists(st.one_of(st.none(), VIETNAMESE, st.text(max_size=8)), min_size=1, max_size=8))
@settings(max_examples=200, deadline=None)
def test_cleaning_equals_python_s_own_normalisation(values: list[str | None]) -> None:
    values = [value.encode("utf-8", "ignore").decode() if value is not None else None for value in values]
    text, changed = clean(pl.Series(values, dtype=pl.String))
    plain = [value.replace("\0", "").strip() if value is not None else None for value in values]
    again = [unicodedata.normalize("NFC", value) if value is not None else None for value in plain]
    # Python strips a few control characters that Unicode does not call white space; both agree on the rest.
    stripped = [value.strip() if value is not None else None for value in text.to_list()]
    assert stripped == [value.strip() if value is not None else None for value in again]
    marks = changed.to_list() if changed is not None else [False] * len(values)
    assert marks == [value is not None and not unicodedata.is_normalized("NFC", value) for value in plain]


@given(st.lists(st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)), min_size=1, max_size=8))
@settings(max_examples=200, deadline=None)
def test_local_time_becomes_the_same_instant_in_utc(moments: list[datetime]) -> None:
    values, bad = typed(pl.Series(moments, dtype=pl.Datetime("us")), ValueType.INSTANT, ZONE)
    expected = [moment.replace(tzinfo=ZoneInfo(ZONE)).astimezone(UTC) for moment in moments]
    doubtful = [m.replace(tzinfo=ZoneInfo(ZONE)).astimezone(UTC).astimezone(ZoneInfo(ZONE)).replace(tzinfo=None) != m
                for m in moments]  # fmt: skip
    for index, value in enumerate(values.to_list()):
        if doubtful[index]:  # skipped by a change of the zone's offset: reported, never guessed
            assert value is None
            assert bad is not None
            assert bad[index]
        else:
            assert value == expected[index]


def test_aware_times_and_days_become_utc_too() -> None:
    aware = pl.Series([datetime(2026, 10, 12, 1, tzinfo=UTC)]).dt.convert_time_zone("Europe/Paris")
    assert typed(aware, ValueType.INSTANT, ZONE).values.to_list() == [datetime(2026, 10, 12, 1, tzinfo=UTC)]
    day = pl.Series([date(2026, 10, 12)])
    assert typed(day, ValueType.INSTANT, ZONE).values.to_list() == [datetime(2026, 10, 11, 17, tzinfo=UTC)]


@given(st.lists(st.one_of(st.none(), st.text(alphabet="0159.HGh ", max_size=14)), max_size=8))
@settings(max_examples=200, deadline=None)
def test_agency_codes_in_bulk_agree_with_the_model(codes: list[str | None]) -> None:
    found = looked_up(pl.Series(codes, dtype=pl.String), normalise_agency_code, pl.String)
    assert found.to_list() == [normalise_agency_code(code) for code in codes]


@given(st.lists(st.one_of(st.none(), st.from_regex(r"[0-9]\.[0-9]{5,7}(\.[0-9H.]*)?", fullmatch=True)), max_size=8))
@settings(max_examples=100, deadline=None)
def test_procedure_codes_in_bulk_agree_with_the_model(codes: list[str | None]) -> None:
    found = looked_up(pl.Series(codes, dtype=pl.String), base_procedure_code, pl.String)
    assert found.to_list() == [base_procedure_code(code) for code in codes]


def without_parameters(url: str, names: set[str]) -> str:
    """The slow and obvious way."""
    parts = urlsplit(url)
    kept = [pair for pair in parts.query.split("&") if pair.partition("=")[0] not in names or "=" not in pair]
    return urlunsplit(parts._replace(query="&".join(kept)))


@given(
    st.lists(st.sampled_from(["t=1", "t=1760236800000", "x=2", "tt=3", "t=", "ts=4", "v.1=5"]), max_size=6),
    st.sampled_from(["", "#page=2"]),
)
@settings(max_examples=200, deadline=None)
def test_only_volatile_parameters_are_taken_out_of_a_url(pairs: list[str], fragment: str) -> None:
    query = "&".join(pairs)
    url = f"https://a.example/documents/5{'?' + query if query else ''}{fragment}"
    found = without_query(pl.Series([url, None]), ["t", "v.1"]).to_list()
    assert found == [without_parameters(url, {"t", "v.1"}), None]


def test_a_url_without_volatile_parameters_is_untouched() -> None:
    urls = ["https://a.example/x?&&a=1", "https://a.example/t=1/x", "", "không phải URL ?x=1"]
    assert without_query(pl.Series(urls), ["t"]).to_list() == urls
    assert without_query(pl.Series(["https://a.example/?t=1"]), []).to_list() == ["https://a.example/?t=1"]


@pytest.mark.parametrize(
    ("raw", "kind", "values", "bad"),
    [
        (["1", "0", "", None, "x"], ValueType.BOOLEAN, [True, False, None, None, None], [4]),
        ([1, 0, 7, -1, None], ValueType.BOOLEAN, [True, False, True, True, None], []),
        (["7", "70000", "1.00", "1.5", "-3"], ValueType.SMALLINT, [7, None, 1, None, -3], [1, 3]),
        ([1.0, 1.5, None], ValueType.BIGINT, [1, None, None], [1]),
        (["2026-10-12", "12/10/2026 07:00", "20261012070000", "hôm qua"], ValueType.INSTANT,
         [datetime(2026, 10, 11, 17, tzinfo=UTC)] + [datetime(2026, 10, 12, tzinfo=UTC)] * 2 + [None], [3]),
        (['["7","1"]', "7", "[]", '[{"MaCSDL":"7"}]', "[7]", "", "[[1]]", "[null"], ValueType.TEXTS,
         [["1", "7"], ["7"], [], ["7"], ["7"], None, None, None], [6, 7]),
    ],
)  # fmt: skip
def test_values_are_typed_or_marked(raw: list[Any], kind: ValueType, values: list[Any], bad: list[int]) -> None:
    found = typed(pl.Series(raw), kind, ZONE)
    assert found.values.to_list() == values
    assert (found.bad.arg_true().to_list() if found.bad is not None else []) == bad


EXTENSIONS = {"a": "vneid_verified", "b": "database_codes", "c": "applicant_name", "d": "channel"}
NAMES = ("applicant_name", "database_codes", "vneid_verified", "channel", "was_not_nfc", "type_errors")
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from(["0", "1", "true", "\0", "e\u0301", "\ud800", 0, 1, 0.0, 1.0, 1.5, 1e16, 1e300]),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=5),
)
WORDS = st.sampled_from(["1", 7, "7\0x", "\0 7x", {"MaCSDL": "7\0"}, "e\u0301", "\ud800"])
JSON = st.one_of(
    SCALARS,
    st.lists(WORDS, max_size=3),
    st.lists(WORDS, max_size=3).map(json.dumps),  # a list inside a text: escaped twice
    st.lists(SCALARS, max_size=3),
    st.dictionaries(st.sampled_from("ab\0"), SCALARS, max_size=2),
)


def written(pairs: list[tuple[str, Any]], ascii_only: bool) -> str:
    """An object that may say a key twice, and escape what it need not. Surrogates come as escapes only."""
    texts = [json.dumps(value, ensure_ascii=ascii_only or "ud800" in json.dumps(value)) for _, value in pairs]
    return "{" + ", ".join(f"{json.dumps(key)}: {text}" for (key, _), text in zip(pairs, texts, strict=True)) + "}"


OBJECTS = st.builds(written, st.lists(st.tuples(st.sampled_from("aabbcd"), JSON), max_size=5), st.booleans())
#: Also texts that are no objects, and a NUL as MySQL can hold it.
TEXTS = st.one_of(
    st.none(),
    st.sampled_from(["", "  ", "{", "[]", "1", "null", "{}{}", '{"a":1} x', '{"c":"x\0y"}', "[" * 300 + "]" * 300]),
    OBJECTS,
)


def extended(texts: list[str | None]) -> list[dict[str, Any]]:
    """What is made of dossiers with these extensions, each as a row."""
    raw: dict[str, Any] = {"dossierId": range(len(texts)), "metaData": pa.array(texts, pa.string())}
    chunk = Chunk(pa.record_batch({name: pa.array(values) for name, values in raw.items()}), ZONE)
    chunk.take_json(DOSSIER, "metaData", EXTENSIONS)
    chunk.put("was_not_nfc", chunk.not_nfc)
    return chunk.table(DOSSIER, "s", 0, pa.array(range(len(texts))), ("dossierId",)).select(NAMES).to_pylist()


@given(st.lists(TEXTS, min_size=1, max_size=6))
@settings(max_examples=500, deadline=None)
def test_what_json_says_of_a_dossier_does_not_depend_on_its_neighbours(texts: list[str | None]) -> None:
    made = extended(texts)
    assert made == [row for text in texts for row in extended([text])]
    assert "\0" not in repr(made).replace("\\x00", "\0"), "the warehouse holds no NUL"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a": 1.0, "d": 2.0}', {"vneid_verified": True, "channel": 2}),
        ('{"a": 0.5}', {"type_errors": ["vneid_verified"]}),
        ('{"a": 1, "a": 0}', {"vneid_verified": False}),
        ('{"b": ["1"], "b": ["7\\u0000x", "7x", " e\\u0301\\u0000 "]}', {"database_codes": ["7x", "é"]}),
        ('{"b": "[\\"7\\\\u0000\\"]"}', {"database_codes": ["7"]}),
        ('{"c": "L\\u00ea\\u0000 V\\u0103n"}', {"applicant_name": "Lê Văn"}),
        ('{"c": "\\ud800"}', {"type_errors": ["vneid_verified", "database_codes", "applicant_name", "channel"]}),
        ('{"b": "[\\"\\\\ud800\\"]"}', {"type_errors": ["database_codes"]}),
    ],
)
def test_json_is_read_in_one_way(text: str, expected: dict[str, Any]) -> None:
    for beside in ([], ['{"b": [1]}'], ["{"]):
        row = extended([text, *beside])[0]
        said = {name: value for name, value in row.items() if value is not None and name != "was_not_nfc"}
        said["type_errors"] = sorted(said.get("type_errors", []))
        assert said == {**expected, "type_errors": sorted(expected.get("type_errors", []))}


def test_what_a_column_s_type_can_not_hold_is_landed_as_text_and_becomes_a_type_error() -> None:
    columns: dict[str, sa.types.TypeEngine[Any]] = {
        "paymentFileId": sa.BigInteger(),
        "paymentAmount": sa.BigInteger(),
        "paid": sa.DateTime(),
        "price": sa.Numeric(12, 2),
    }
    schema = landing_schema(columns)
    rows: Any = [(1, 5, datetime(2026, 10, 1), Decimal("1.50")), (2, 2**70, "2026-02-00", None)]
    batch = to_batch(rows, schema)
    assert batch.schema.field("price").type == pa.string()
    assert batch.column("price").to_pylist() == ["1.50", None]
    assert [json.loads(text) if text else None for text in batch.column(UNREADABLE).to_pylist()] == [
        None,
        {"paymentAmount": str(2**70), "paid": "2026-02-00"},
    ]
    chunk = Chunk(batch, ZONE)
    chunk.take(FEE.field("amount"), "paymentAmount")
    chunk.take(FEE.field("paid_at"), "paid")
    table = chunk.table(FEE, "s", 0, pa.array([0, 1]), ("paymentFileId", "paymentFileId"))
    assert table.column("type_errors").to_pylist() == [None, ["amount", "paid_at"]]
    assert table.column("amount").to_pylist() == [5, None]


def test_mysql_s_date_of_nothing_is_landed_as_it_came_and_read_as_null() -> None:
    schema = landing_schema({"paymentFileId": sa.BigInteger(), "paid": sa.DateTime(), "told": sa.Text()})
    zero = "0000-00-00 00:00:00"  # how the driver hands it out
    batch = to_batch([(1, datetime(2026, 10, 1), ""), (2, zero, zero)], schema)  # type: ignore[list-item]
    assert batch.column(UNREADABLE).to_pylist() == [None, json.dumps({"paid": zero})]
    chunk = Chunk(batch, ZONE)
    assert chunk.zero_dates() == {"paid": 1}
    chunk.take(FEE.field("paid_at"), "paid")
    table = chunk.table(FEE, "s", 0, pa.array([0, 1]), ("paymentFileId", "paymentFileId"))
    assert table.column("paid_at").to_pylist() == [datetime(2026, 9, 30, 17, tzinfo=UTC), None]
    assert table.column("type_errors").to_pylist() == [None, None]
    assert chunk.typed("told", ValueType.INSTANT).bad is None  # a column of text says it in the same way


def test_nul_characters_never_reach_the_warehouse() -> None:
    raw: dict[str, list[Any]] = {"dossierId": [1], "applicantName": ["Lê\0 Văn"]}
    chunk = Chunk(pa.record_batch(raw), ZONE)
    chunk.take(DOSSIER.field("applicant_name"), "applicantName")
    canonical = chunk.table(DOSSIER, "s", 0, pa.array([0]), ("dossierId",))
    assert canonical.column("applicant_name").to_pylist() == ["Lê Văn"]


def test_a_key_with_a_nul_is_no_key_rather_than_another_one() -> None:
    raw: dict[str, list[Any]] = {"id": ["7", "7\0", "\0", None], "key": ["a\0", "a", "", "b"]}
    table = Chunk(pa.record_batch(raw), ZONE).table(FEE, "s", 0, pa.array(range(4)), ("id", "key"))
    assert table.column("source_key").to_pylist() == ["7", None, None, None]
    assert table.column("child_key").to_pylist() == [None, "a", "", "b"]
