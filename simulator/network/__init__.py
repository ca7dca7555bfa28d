"""A faulty network before the portal: a proxy that cuts, holds, doubles and spoils, by a seed or by order."""

from simulator.network.faults import Fault, Passage
from simulator.network.proxy import FaultyNetwork

__all__ = ["Fault", "FaultyNetwork", "Passage"]
