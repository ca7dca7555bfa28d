"""A system that is described, read and mapped, and can do nothing else: an OpenCPS that nobody may look at."""

from __future__ import annotations

from lienthong.sources.system import System
from lienthong.sources.systems.opencps.profile import PROFILE as WHOLE


class Bare:
    """What every load needs, and no more."""

    entity_tables = WHOLE.entity_tables
    owners = WHOLE.owners
    check_schema = staticmethod(WHOLE.check_schema)
    capabilities = staticmethod(WHOLE.capabilities)
    extract = staticmethod(WHOLE.extract)
    canonicalise = staticmethod(WHOLE.canonicalise)
    unmapped_codes = staticmethod(WHOLE.unmapped_codes)


PROFILE: System = Bare()
