"""Contracts as tests change them."""

from __future__ import annotations

from typing import Any

from lienthong.sources.contract import SourceContract


def changed(contract: SourceContract, **changes: Any) -> SourceContract:
    """A copy with other values, each where its key belongs: in the envelope or in the section of its kind."""
    section = {key: value for key, value in changes.items() if key in type(contract.section).model_fields}
    envelope = {key: value for key, value in changes.items() if key not in section}
    return contract.with_section(**section).model_copy(update=envelope)
