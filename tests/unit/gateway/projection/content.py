"""What a folder's projections hold, to be compared row for row."""

import sqlite3

SETTLED = ("interval", "superseded", "rollup", "load", "series", "entry")
REGISTERED = (
    *("recorded", "version", "reference", "verdict", "closing", "event", "configuration"),
    *("finding", "outcome", "presence", "silence", "identity"),
)


def tables(folder):
    found = {}
    for path, names in ((folder.settlement, SETTLED), (folder.registry, REGISTERED)):
        connection = sqlite3.connect(path)
        for name in names:
            found[name] = sorted(connection.execute(f"SELECT * FROM {name}").fetchall(), key=repr)
        connection.close()
    return found
