"""What a source system can tell beyond its dossiers' own course. The index asks for these, profiles declare them."""

from __future__ import annotations

from enum import StrEnum


class Capability(StrEnum):
    """One kind of figure. Stored by these values, so they never change."""

    SERVICES = "services"  # which procedures an agency offers online, and at which level
    DOCUMENTS = "documents"  # components and results with their files
    FEES = "fees"
    ONLINE_PAYMENT = "online_payment"  # whether a dossier was paid online
    REUSE = "reuse"  # whether digitised components were used again
    CITIZEN_STORE = "citizen_store"  # whether a component was taken from the citizen's store
    CITIZEN_DATA = "citizen_data"  # whether the population's data were used
