"""VNPT iGate 2 as its clients met it: Keycloak tokens, Spring pages, UTC dates; switches for the unknown and faults."""

from simulator.igate.server import IgateServer
from simulator.igate.state import Igate, IgateAccount, IgateCall
from simulator.igate.store import Store
from simulator.igate.switches import FaultKind, IgateSwitches

__all__ = ["FaultKind", "Igate", "IgateAccount", "IgateCall", "IgateServer", "IgateSwitches", "Store"]
