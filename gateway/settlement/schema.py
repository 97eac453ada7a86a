"""The settlement file: intervals, what they replaced, and their roll-ups; dropped and built again at will."""

import sqlite3
from pathlib import Path

from gateway.journal import projection_file

SCHEMA_VERSION = 7

_ROW = """
  series INTEGER NOT NULL,
  start INTEGER NOT NULL,           -- window, µs UTC
  part INTEGER NOT NULL,            -- 0, 1 …: parts of a window cut by an exchange
  seq INTEGER NOT NULL,             -- settlement entry
  installation INTEGER,
  r0 INTEGER, r1 INTEGER, energy INTEGER, -- thousandths of the resolution
  coverage INTEGER NOT NULL,
  method INTEGER NOT NULL,
  quality INTEGER NOT NULL,
  num INTEGER NOT NULL, den INTEGER NOT NULL,
  e0 INTEGER, e1 INTEGER, e2 INTEGER, e3 INTEGER
"""
SCHEMA = f"""
CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID, STRICT;
CREATE TABLE series (
  id INTEGER PRIMARY KEY,
  organisation TEXT NOT NULL,
  device TEXT NOT NULL,
  channel TEXT NOT NULL,
  decimals INTEGER NOT NULL,
  measurand TEXT NOT NULL,
  unit TEXT NOT NULL,
  settled_to INTEGER NOT NULL,      -- end of the newest window with an entry
  UNIQUE (organisation, device, channel, decimals)
) STRICT;
CREATE TABLE interval ({_ROW}, PRIMARY KEY (series, start, part)) WITHOUT ROWID, STRICT;
CREATE TABLE superseded ({_ROW}, until_seq INTEGER NOT NULL, PRIMARY KEY (series, start, seq, part))
  WITHOUT ROWID, STRICT;
CREATE TABLE entry (                    -- settlement entries by window
  organisation TEXT NOT NULL,
  start INTEGER NOT NULL,
  revision INTEGER NOT NULL,
  chunk INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  registry INTEGER NOT NULL,
  substitution TEXT,                -- JSON of the pack, its version, who and why; null: settled by rule
  PRIMARY KEY (organisation, start, seq)
) WITHOUT ROWID, STRICT;
CREATE INDEX entry_seq ON entry (organisation, seq);
CREATE TABLE rollup (                   -- kind 1 hour, 2 day, 3 month, 4 year, cut in the site's time zone
  series INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  start INTEGER NOT NULL,
  installation INTEGER NOT NULL,    -- 0: none on record
  num INTEGER NOT NULL, den INTEGER NOT NULL,
  windows INTEGER NOT NULL,         -- quarter hours, parts counted once each
  missing INTEGER NOT NULL,
  coverage INTEGER NOT NULL,        -- sum of permilles
  quality INTEGER NOT NULL,
  energy INTEGER NOT NULL,
  measured INTEGER NOT NULL, interpolated INTEGER NOT NULL, caught_up INTEGER NOT NULL, substituted INTEGER NOT NULL,
  manual INTEGER NOT NULL,
  seq INTEGER NOT NULL,             -- newest settlement entry in it
  PRIMARY KEY (kind, series, start, installation, num, den)
) WITHOUT ROWID, STRICT;
CREATE TABLE load (                     -- kind 2 day, 3 month: energy by the octave of load it was counted at
  kind INTEGER NOT NULL,
  series INTEGER NOT NULL,
  start INTEGER NOT NULL,
  installation INTEGER NOT NULL,    -- 0: none on record
  num INTEGER NOT NULL, den INTEGER NOT NULL,
  octave INTEGER NOT NULL,          -- bits of the quarter hour's energy in thousandths of the resolution
  energy INTEGER NOT NULL,          -- sum of E
  squares INTEGER NOT NULL,         -- sum of E² · 2^40 / 4^octave
  PRIMARY KEY (kind, series, start, installation, num, den, octave)
) WITHOUT ROWID, STRICT;
CREATE TABLE batch (                    -- weighing tickets and the like; the first one of a number counts
  organisation TEXT NOT NULL,
  source TEXT NOT NULL,             -- device/<id> as sent, point/<id> as entered
  number TEXT NOT NULL,
  seq INTEGER NOT NULL,
  at INTEGER NOT NULL,              -- µs UTC
  gross TEXT, tare TEXT, net TEXT NOT NULL, -- exact decimals
  unit TEXT NOT NULL,
  vehicle TEXT NOT NULL,
  quality INTEGER NOT NULL,
  withdrawn_seq INTEGER,
  PRIMARY KEY (organisation, source, number, seq) -- taken back and entered again: both stay, each for its time
) WITHOUT ROWID, STRICT;
CREATE INDEX batch_at ON batch (organisation, source, at);
CREATE TABLE batch_refused (            -- the same number again with other contents
  seq INTEGER NOT NULL,
  organisation TEXT NOT NULL,
  source TEXT NOT NULL,
  number TEXT NOT NULL,
  at INTEGER NOT NULL,
  net TEXT NOT NULL,
  kept_seq INTEGER NOT NULL,
  PRIMARY KEY (seq, source, number)
) WITHOUT ROWID, STRICT;
CREATE TABLE hand_reading (             -- registers read by people at points nothing reads
  seq INTEGER PRIMARY KEY,
  organisation TEXT NOT NULL,
  point TEXT NOT NULL,
  at INTEGER NOT NULL,
  register TEXT NOT NULL,           -- exact decimal
  unit TEXT NOT NULL,
  actor TEXT NOT NULL,
  withdrawn INTEGER NOT NULL
) STRICT;
CREATE INDEX hand_reading_of ON hand_reading (organisation, point, at, seq);
CREATE TABLE entered_amount (           -- amounts of intervals from a metering company's file
  organisation TEXT NOT NULL,
  point TEXT NOT NULL,
  start INTEGER NOT NULL,           -- µs UTC
  end INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  amount TEXT,                      -- exact decimal; null: the file says that it is not known
  unit TEXT NOT NULL,
  good INTEGER NOT NULL,            -- measured, not estimated or substituted
  withdrawn_seq INTEGER,
  PRIMARY KEY (organisation, point, start, seq)
) WITHOUT ROWID, STRICT;
CREATE TABLE invoice (
  seq INTEGER PRIMARY KEY,
  organisation TEXT NOT NULL,
  point TEXT NOT NULL,
  number TEXT NOT NULL,
  from_us INTEGER NOT NULL,
  to_us INTEGER NOT NULL,
  amount TEXT NOT NULL,
  unit TEXT NOT NULL,
  price TEXT NOT NULL,
  currency TEXT NOT NULL,
  document TEXT NOT NULL,
  actor TEXT NOT NULL,
  withdrawn INTEGER NOT NULL
) STRICT;
CREATE INDEX invoice_of ON invoice (organisation, point, number, seq);
CREATE TABLE heard (                    -- work in hand, not part of the projection's content
  organisation TEXT NOT NULL,
  device TEXT NOT NULL,
  grp TEXT NOT NULL,
  first_us INTEGER NOT NULL,        -- first observation
  last_us INTEGER NOT NULL,         -- newest observation with every counter that ever had a value
  slot_us INTEGER NOT NULL,         -- newest slot that ended, whatever its outcome
  mask INTEGER NOT NULL,            -- counters that ever had a value, by position
  cfg INTEGER NOT NULL,
  PRIMARY KEY (organisation, device, grp)
) WITHOUT ROWID, STRICT;
CREATE TABLE dirty (                    -- spans to settle again
  organisation TEXT NOT NULL,
  device TEXT NOT NULL,
  grp TEXT NOT NULL,
  from_us INTEGER NOT NULL,
  to_us INTEGER NOT NULL,
  PRIMARY KEY (organisation, device, grp, from_us, to_us)
) WITHOUT ROWID, STRICT;
"""


def connect(path: Path, *, read_only: bool) -> sqlite3.Connection:
    """A connection; the writer makes the file when there is none. DataFolderError when it is not of this version."""
    return projection_file.connect(path, SCHEMA, SCHEMA_VERSION, read_only=read_only)
