"""The world of the pipeline's tests, and the single province and gateway of the sources' tests."""

from __future__ import annotations

from tests.pipeline.conftest import live, loaded, loaded_warehouse, source_templates, world
from tests.sources.conftest import contract, gateway, opencps_template, province

__all__ = [
    "contract",
    "gateway",
    "live",
    "loaded",
    "loaded_warehouse",
    "opencps_template",
    "province",
    "source_templates",
    "world",
]
