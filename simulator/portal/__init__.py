"""The national portal as clients met it: sessions, dossier services, catalogue services; switches for the unknown."""

from simulator.portal.server import PortalServer, serve
from simulator.portal.state import Account, Portal
from simulator.portal.store import Store, StoredDossier, StoredStep
from simulator.portal.switches import FaultKind, PortalSwitches

__all__ = [
    "Account",
    "FaultKind",
    "Portal",
    "PortalServer",
    "PortalSwitches",
    "Store",
    "StoredDossier",
    "StoredStep",
    "serve",
]
