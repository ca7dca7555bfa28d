"""What the ministries' systems of the simulator share: faults, a record of calls, inspection, a server in a thread."""

from simulator.sectoral.desk import Call, Desk, FaultKind
from simulator.sectoral.server import ServiceServer

__all__ = ["Call", "Desk", "FaultKind", "ServiceServer"]
