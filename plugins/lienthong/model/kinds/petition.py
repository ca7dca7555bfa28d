"""The petition (phản ánh, kiến nghị) with what happened to it.

Nobody has published the fields of the national PAKN system; these are what the rules of indicators 5.1 to 5.4 rest on
(docs/index-766.md) and what a provincial table of petitions is known to have.
"""

from __future__ import annotations

from lienthong.model.kinds.spec import EntitySpec, Field, KindSpec, ValueType

PETITION = EntitySpec(
    "petition",
    "phản ánh, kiến nghị",
    (
        Field("petition_code", ValueType.TEXT),
        Field("origin_code", ValueType.TEXT),  # its code in the system where it was sent first, when passed on
        Field("classification", ValueType.SMALLINT),  # PetitionClass; null when the source's word is not mapped
        Field("classification_raw", ValueType.TEXT),
        Field("agency_code", ValueType.TEXT),  # who has to answer; normalised: H17.05
        Field("agency_code_raw", ValueType.TEXT),
        Field("agency_name", ValueType.TEXT),
        Field("status", ValueType.SMALLINT),  # PetitionStatus; null when the source's word is not mapped
        Field("status_raw", ValueType.TEXT),
        Field("sent_at", ValueType.INSTANT),
        Field("transferred_at", ValueType.INSTANT),  # the latest transfer: the term runs from it
        Field("supplement_asked_at", ValueType.INSTANT),
        Field("answered_at", ValueType.INSTANT),
        Field("published_at", ValueType.INSTANT),
        Field("refused_at", ValueType.INSTANT),
        Field("due_at", ValueType.INSTANT),  # only where the source tells one; the index has a clock of its own
        Field("likes", ValueType.BIGINT),
        Field("dislikes", ValueType.BIGINT),
        Field("complained_again", ValueType.BOOLEAN),
        Field("dossier_code", ValueType.TEXT),  # the dossier that it is about, when it names one
        Field("sender_name", ValueType.TEXT, personal=True),
        Field("sender_phone", ValueType.TEXT, personal=True),
        Field("sender_email", ValueType.TEXT, personal=True),
        Field("sender_address", ValueType.TEXT, personal=True),
        Field("title", ValueType.TEXT, personal=True),
        Field("content", ValueType.TEXT, personal=True),
        Field("answer", ValueType.TEXT, personal=True),
        Field("source_modified_at", ValueType.INSTANT, hashed=False),
        Field("was_not_nfc", ValueType.BOOLEAN, hashed=False, stored=False),
    ),
)

PETITION_STEP = EntitySpec(
    "petition_step",
    "bước xử lý",
    (
        Field("step_no", ValueType.BIGINT),
        Field("status", ValueType.SMALLINT),  # PetitionStatus that it led to
        Field("status_raw", ValueType.TEXT),
        Field("occurred_at", ValueType.INSTANT),
        Field("agency_code", ValueType.TEXT),  # to whom it went, or who acted
        Field("agency_code_raw", ValueType.TEXT),
        Field("agency_name", ValueType.TEXT),
        Field("actor_name", ValueType.TEXT, personal=True),
        Field("content", ValueType.TEXT, personal=True),
    ),
)

PETITION_KIND = KindSpec(
    name="petition",
    root=PETITION,
    children=(PETITION_STEP,),
    arrived=("sent_at",),
    agency="agency_code",
    recipe=1,
    code="petition_code",
)
