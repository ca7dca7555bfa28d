"""The transport ministry's dossier list, built on OpenCPS: one GET, everything at once, errors as bodies."""

from simulator.bgtvt.server import BgtvtServer
from simulator.bgtvt.switches import BgtvtSwitches

__all__ = ["BgtvtServer", "BgtvtSwitches"]
