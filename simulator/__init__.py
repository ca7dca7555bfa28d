"""The outside world: provincial systems and the national portal, with known truth and known faults.

Imports nothing of the product. Everything follows from a seed, a size and a month: see `simulator.world.World`.
"""
