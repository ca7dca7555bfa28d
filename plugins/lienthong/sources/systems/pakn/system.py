"""The national PAKN. Nobody has published its interface: paths and names are an assumption that the simulator shares.

A connection's `login_endpoint` and `petition_endpoint` and a contract's `fields` replace what turns out differently.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from lienthong.sources.kit.http import Credential, Exchange, Request
from lienthong.sources.kit.http.json_token import JsonToken
from lienthong.sources.kit.lists import Ask, Codes, Inside, ListSystem, Page, RecordList, complaint, page_of
from lienthong.sources.systems import petitions

if TYPE_CHECKING:
    from lienthong.connections import Connection
    from lienthong.sources.contract import SourceContract
    from lienthong.sources.kit.lists.columns import Columns


class Pakn(ListSystem):
    """Bearer token; pages by when a petition changed, oldest first; steps inside."""

    server: ClassVar[str] = "Hệ thống PAKN quốc gia (HTTP)"
    lists: ClassVar = (
        RecordList(
            "petition", "/api/v1/petitions", key="id", dated="updatedAt",
            inside={"petition_step": Inside("histories", "id")},
        ),
    )  # fmt: skip
    structural: ClassVar = ("status", "department")
    fields: ClassVar = {
        "petition": {
            "petition_code": "code",
            "origin_code": "originCode",
            "classification_raw": "classification.code",
            "agency_code_raw": "department.code",
            "agency_name": "department.name",
            "status_raw": "status.code",
            "sent_at": "sentAt",
            "transferred_at": "transferredAt",
            "supplement_asked_at": "supplementRequestedAt",
            "answered_at": "answeredAt",
            "published_at": "publishedAt",
            "refused_at": "rejectedAt",
            "due_at": "deadline",
            "likes": "likeCount",
            "dislikes": "dislikeCount",
            "complained_again": "reopened",
            "dossier_code": "dossierCode",
            "sender_name": "sender.fullName",
            "sender_phone": "sender.phone",
            "sender_email": "sender.email",
            "sender_address": "sender.address",
            "title": "title",
            "content": "content",
            "answer": "answer",
            "source_modified_at": "updatedAt",
        },
        "petition_step": {
            "step_no": "order",
            "status_raw": "status",
            "occurred_at": "at",
            "agency_code_raw": "department.code",
            "agency_name": "department.name",
            "actor_name": "actor",
            "content": "note",
        },
    }

    def credential(self, connection: Connection) -> Credential:
        path = str(connection.extra.get("login_endpoint") or "/api/v1/auth/token")
        login = Request("POST", path, json={"username": connection.login, "password": connection.password})
        return JsonToken(
            "the PAKN", login, "accessToken", "expiresIn", lambda text: {"Authorization": f"Bearer {text}"}
        )

    def parameters(self, ask: Ask, contract: SourceContract) -> dict[str, str]:
        window = {"updatedFrom": ask.since, "updatedTo": ask.until}
        asked = {name: moment.astimezone(contract.zone).isoformat() for name, moment in window.items() if moment}
        return {"page": str(ask.number), "pageSize": str(ask.size), **asked}

    def verdict(self, body: Any) -> Exchange | None:
        if not isinstance(body, dict) or body.get("success") is not False:
            return None
        error = body.get("error")
        return complaint(error.get("code") if isinstance(error, dict) else None)

    def page(self, body: Any) -> Page:
        data = body.get("data") if isinstance(body, dict) else None
        data = data if isinstance(data, dict) else {}
        return page_of(data.get("items"), data.get("total"))

    def fill(self, entity: str, columns: Columns, contract: SourceContract) -> None:
        petitions.fill(entity, columns, contract)

    def codes(self, contract: SourceContract) -> Mapping[str, tuple[Codes, ...]]:
        return petitions.codes_of(contract)
