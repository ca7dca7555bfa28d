"""A province's OpenCPS v2 database: its tables, its habits, and what changes in it as time goes on."""

from simulator.opencps.advance import Change, ChangeKind, advance, replay
from simulator.opencps.install import Installation, create_reader, install, installed

__all__ = ["Change", "ChangeKind", "Installation", "advance", "create_reader", "install", "installed", "replay"]
