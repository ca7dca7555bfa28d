"""The national system of petitions, as we imagine its interface: nothing about it is public."""

from simulator.pakn.server import PaknServer

__all__ = ["PaknServer"]
