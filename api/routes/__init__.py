"""``/api/v1``: the figures of the pages as JSON and CSV, from the same queries."""
