"""One small folder for all reports: they only read."""

from tests.small_plant import folder, reader

__all__ = ["folder", "reader"]
