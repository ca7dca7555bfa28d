"""The driving licence register: a session, service calls, windows of at most three days, no status."""

from simulator.gplx.server import GplxServer
from simulator.gplx.switches import GplxSwitches

__all__ = ["GplxServer", "GplxSwitches"]
