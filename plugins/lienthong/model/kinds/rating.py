"""The rating (đánh giá hài lòng) of a dossier, with the marks of single criteria.

Known: a table of ratings has dossier code, type, person, words, time and level; the criteria of Nghị định 61/2018 are
marked 0, 1 or 2. What the national service takes is not published.
"""

from __future__ import annotations

from lienthong.model.kinds.spec import EntitySpec, Field, KindSpec, ValueType

RATING = EntitySpec(
    "rating",
    "đánh giá hài lòng",
    (
        Field("dossier_code", ValueType.TEXT),
        Field("dossier_key", ValueType.TEXT),  # the dossier's key in the same system, where it links by key
        Field("agency_code", ValueType.TEXT),  # normalised: H17.05
        Field("agency_code_raw", ValueType.TEXT),
        Field("agency_name", ValueType.TEXT),
        Field("satisfaction", ValueType.SMALLINT),  # Satisfaction; null when the source's word is not mapped
        Field("satisfaction_raw", ValueType.TEXT),
        Field("rating_type", ValueType.TEXT),
        Field("rated_at", ValueType.INSTANT),
        Field("rater_name", ValueType.TEXT, personal=True),
        Field("comment", ValueType.TEXT, personal=True),
        Field("source_modified_at", ValueType.INSTANT, hashed=False),
        Field("was_not_nfc", ValueType.BOOLEAN, hashed=False, stored=False),
    ),
)

RATING_MARK = EntitySpec(
    "rating_mark",
    "điểm theo tiêu chí",
    (
        Field("criterion", ValueType.TEXT),
        Field("mark", ValueType.SMALLINT),  # 0, 1 or 2
        Field("mark_raw", ValueType.TEXT),
    ),
)

RATING_KIND = KindSpec(
    name="rating",
    root=RATING,
    children=(RATING_MARK,),
    arrived=("rated_at",),
    agency="agency_code",
    recipe=1,
    code="dossier_code",
)
