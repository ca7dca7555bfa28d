"""A city's 1022: dates without a zone, own words, errors with status 200, no time of modification."""

from simulator.hotline.server import HotlineServer

__all__ = ["HotlineServer"]
