"""One small folder for all queries: they only read."""

from tests.small_plant import asking, folder, reader

__all__ = ["asking", "folder", "reader"]
