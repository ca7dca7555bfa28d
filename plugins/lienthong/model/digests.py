"""Digests of values that JSON can hold."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Mapping
from typing import Any


def json_digest(values: Mapping[str, Any]) -> bytes:
    """SHA-256 over canonical JSON: sorted keys, no spaces, NFC, UTF-8."""
    text = json.dumps(values, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(unicodedata.normalize("NFC", text).encode()).digest()
