"""A unit without a system: somebody keeps the dossiers in a workbook and drops it into a folder or bucket."""

from simulator.sheets.drop import SheetDrop
from simulator.sheets.spoiled import Spoiled, spoiled

__all__ = ["SheetDrop", "Spoiled", "spoiled"]
