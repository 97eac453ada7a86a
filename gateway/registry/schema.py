"""The registry file: one SQLite database beside the journal, dropped and built again at will."""

import sqlite3
from pathlib import Path

from gateway.journal import projection_file

SCHEMA_VERSION = 1

SCHEMA = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID, STRICT;
CREATE TABLE recorded (seq INTEGER PRIMARY KEY, latest_at INTEGER NOT NULL) STRICT; -- running maximum of at, per fact
CREATE TABLE version (
  seq INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  organisation TEXT NOT NULL,
  kind TEXT NOT NULL,
  id TEXT NOT NULL,
  from_us INTEGER,                  -- effective, half open; null: always
  to_us INTEGER,
  withdrawn INTEGER NOT NULL,
  object TEXT NOT NULL,             -- JSON
  actor TEXT NOT NULL,
  reason TEXT NOT NULL,
  source TEXT NOT NULL
) STRICT;
CREATE INDEX version_of ON version (organisation, kind, id, seq);
CREATE TABLE reference (                -- ids that ever named a target; which version counts is decided when read
  organisation TEXT NOT NULL,
  kind TEXT NOT NULL,
  field TEXT NOT NULL,
  target TEXT NOT NULL,
  id TEXT NOT NULL,
  PRIMARY KEY (organisation, kind, field, target, id)
) WITHOUT ROWID, STRICT;
CREATE TABLE verdict (
  seq INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  organisation TEXT NOT NULL,
  subject TEXT NOT NULL,
  rule TEXT NOT NULL,
  severity TEXT NOT NULL,
  point TEXT, device TEXT, instrument TEXT, installation TEXT, certificate TEXT,
  from_us INTEGER NOT NULL,
  facts TEXT NOT NULL,
  registry INTEGER NOT NULL,
  rules TEXT NOT NULL
) STRICT;
CREATE INDEX verdict_rule ON verdict (organisation, rule);
CREATE TABLE closing (                  -- the newest one known says where a verdict ends
  seq INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  opens INTEGER NOT NULL,
  to_us INTEGER NOT NULL
) STRICT;
CREATE INDEX closing_of ON closing (opens, seq);
CREATE INDEX verdict_device ON verdict (organisation, device, from_us);
CREATE TABLE event (
  seq INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  organisation TEXT NOT NULL,
  kind TEXT NOT NULL,
  subject TEXT NOT NULL,
  action TEXT NOT NULL,
  actor TEXT NOT NULL,
  body TEXT NOT NULL
) STRICT;
CREATE INDEX event_of ON event (organisation, kind, seq);
CREATE TABLE configuration (
  seq INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  organisation TEXT NOT NULL,
  subject_type TEXT NOT NULL,
  id TEXT NOT NULL,
  body TEXT NOT NULL
) STRICT;
CREATE INDEX configuration_of ON configuration (organisation, subject_type, id, seq);
CREATE TABLE finding (                  -- reading findings, counted per channel, rule and UTC day
  organisation TEXT NOT NULL,
  device TEXT NOT NULL,
  channel TEXT NOT NULL,
  rule TEXT NOT NULL,
  day INTEGER NOT NULL,
  count INTEGER NOT NULL,
  first_seq INTEGER NOT NULL,
  last_seq INTEGER NOT NULL,
  first_us INTEGER NOT NULL,
  last_us INTEGER NOT NULL,
  facts TEXT NOT NULL,              -- of the first one
  PRIMARY KEY (organisation, device, channel, rule, day)
) WITHOUT ROWID, STRICT;
CREATE TABLE outcome (                  -- slots by how they ended, per UTC day
  organisation TEXT NOT NULL,
  device TEXT NOT NULL,
  grp TEXT NOT NULL,
  day INTEGER NOT NULL,
  outcome TEXT NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (organisation, device, grp, day, outcome)
) WITHOUT ROWID, STRICT;
CREATE TABLE presence (                 -- where each request group stands
  organisation TEXT NOT NULL,
  device TEXT NOT NULL,
  grp TEXT NOT NULL,
  last_us INTEGER NOT NULL,         -- slot of the newest reading; 0: none yet
  missed_since_us INTEGER NOT NULL, -- slot of the first miss since; 0: none
  missed INTEGER NOT NULL,
  PRIMARY KEY (organisation, device, grp)
) WITHOUT ROWID, STRICT;
CREATE TABLE silence (                  -- ranges long enough to be a verdict; to_us null: still silent
  organisation TEXT NOT NULL,
  device TEXT NOT NULL,
  from_us INTEGER NOT NULL,
  to_us INTEGER,
  missed INTEGER NOT NULL,
  last_us INTEGER NOT NULL,
  PRIMARY KEY (organisation, device, from_us)
) WITHOUT ROWID, STRICT;
CREATE TABLE identity (                 -- newest text and ratio values of identity groups
  organisation TEXT NOT NULL,
  device TEXT NOT NULL,
  measurand TEXT NOT NULL,
  from_us INTEGER NOT NULL,
  last_us INTEGER NOT NULL,         -- last said
  seq INTEGER NOT NULL,
  value TEXT NOT NULL,              -- text, or an exact decimal
  PRIMARY KEY (organisation, device, measurand, from_us)
) WITHOUT ROWID, STRICT;
"""


def connect(path: Path, *, read_only: bool) -> sqlite3.Connection:
    """A connection; the writer makes the file when there is none. DataFolderError when it is not of this version."""
    return projection_file.connect(path, SCHEMA, SCHEMA_VERSION, read_only=read_only)
