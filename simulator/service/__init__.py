"""A small HTTP service of the outside world: tokens, faults to order, counted calls, a server in a thread."""

from simulator.service.server import ServiceServer
from simulator.service.state import FaultKind, Service, ServiceAccount, ServiceSwitches

__all__ = ["FaultKind", "Service", "ServiceAccount", "ServiceServer", "ServiceSwitches"]
