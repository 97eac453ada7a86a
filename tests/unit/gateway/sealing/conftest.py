"""A born folder with an open journal, and the vectors of an implementation that is not ours."""

from tests.born_folder import clock, folder, journal, vectors

__all__ = ["clock", "folder", "journal", "vectors"]
