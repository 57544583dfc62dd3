-- Times named due, since and applied are the fleet's; the others are seconds since 1970.
CREATE TABLE clock (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  wall REAL NOT NULL,
  fleet REAL NOT NULL,
  speed REAL NOT NULL,
  configured REAL NOT NULL
) STRICT;

CREATE TABLE reservations (
  id TEXT PRIMARY KEY,
  instance TEXT NOT NULL,
  gpu_type TEXT NOT NULL,
  node TEXT NOT NULL,
  gpus TEXT NOT NULL,
  state TEXT NOT NULL,
  reason TEXT,
  operation TEXT,
  due REAL,
  storage_gib INTEGER,
  storage_attached INTEGER NOT NULL DEFAULT 0,
  health TEXT,
  version INTEGER NOT NULL DEFAULT 1,
  created REAL NOT NULL,
  updated REAL NOT NULL,
  CHECK ((operation IS NULL) = (due IS NULL))
) STRICT;

CREATE UNIQUE INDEX one_for_each_instance ON reservations (instance) WHERE state <> 'released';
CREATE INDEX by_due ON reservations (due) WHERE due IS NOT NULL;

-- Who has a GPU. That it is one is not the program's care alone.
CREATE TABLE allocations (
  gpu TEXT PRIMARY KEY,
  reservation TEXT NOT NULL REFERENCES reservations ON DELETE CASCADE
) STRICT;

CREATE TABLE keys (
  key TEXT PRIMARY KEY,
  command TEXT NOT NULL,
  reservation TEXT NOT NULL REFERENCES reservations ON DELETE CASCADE
) STRICT;

CREATE TABLE faults (
  id TEXT PRIMARY KEY,
  source TEXT NOT NULL,
  spec TEXT NOT NULL,
  since REAL NOT NULL,
  applied REAL,
  asked INTEGER NOT NULL DEFAULT 0,
  hits INTEGER NOT NULL DEFAULT 0,
  gpu TEXT
) STRICT;

-- Every effect, in order, for whoever proves that each came once.
CREATE TABLE ledger (
  number INTEGER PRIMARY KEY,
  at REAL NOT NULL,
  reservation TEXT NOT NULL,
  instance TEXT NOT NULL,
  effect TEXT NOT NULL
) STRICT;

CREATE INDEX ledger_of_reservation ON ledger (reservation)
