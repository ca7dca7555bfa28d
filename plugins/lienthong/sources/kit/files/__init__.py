"""Files that are dropped into a folder or bucket: listed, left alone until they stand still, read whole, recognised."""

from lienthong.sources.kit.files.folder import DroppedFile, Folder

__all__ = ["DroppedFile", "Folder"]
