"""The append-only journal: the truth."""
