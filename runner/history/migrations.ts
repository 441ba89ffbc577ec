/** The `application_id` of a history in SQLite: `DSPC`. */
export const APPLICATION_ID = 0x44535043;

/**
 * The SQL that creates and changes the schema, one entry for each version. `user_version` is the
 * number of entries that a file has had. Entries are only ever added, never changed.
 */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE recipe_case (
    id INTEGER PRIMARY KEY,
    server TEXT NOT NULL,
    file TEXT NOT NULL,
    name TEXT NOT NULL,
    UNIQUE (server, file, name)
  ) STRICT;
  CREATE TABLE run (
    id INTEGER PRIMARY KEY,
    case_id INTEGER NOT NULL REFERENCES recipe_case ON DELETE CASCADE,
    at INTEGER NOT NULL,
    status TEXT NOT NULL,
    flaky INTEGER NOT NULL,
    duration_ms REAL NOT NULL
  ) STRICT;
  CREATE INDEX run_of_case ON run (case_id, id);
  CREATE TABLE step (
    run_id INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
    phase TEXT NOT NULL,
    number TEXT NOT NULL,
    label TEXT NOT NULL,
    status TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    duration_ms REAL NOT NULL
  ) STRICT;
  CREATE INDEX step_of_run ON step (run_id);
  `,
  `
  CREATE TABLE health_check (
    id INTEGER PRIMARY KEY,
    slug TEXT NOT NULL UNIQUE,
    server TEXT NOT NULL,
    file TEXT NOT NULL,
    name TEXT NOT NULL,
    alert TEXT,
    counted_run INTEGER NOT NULL DEFAULT 0,
    UNIQUE (server, file, name)
  ) STRICT;
  CREATE TABLE health_run (
    id INTEGER PRIMARY KEY,
    check_id INTEGER NOT NULL REFERENCES health_check ON DELETE CASCADE,
    slot INTEGER NOT NULL,
    at INTEGER NOT NULL,
    lateness_ms REAL NOT NULL,
    duration_ms REAL NOT NULL,
    verdict TEXT NOT NULL,
    exit_code INTEGER NOT NULL,
    flaky INTEGER NOT NULL,
    failure TEXT,
    diagnostics TEXT,
    steps TEXT NOT NULL
  ) STRICT;
  CREATE INDEX health_run_of_check ON health_run (check_id, id);
  CREATE TABLE health_period (
    check_id INTEGER NOT NULL REFERENCES health_check ON DELETE CASCADE,
    ms INTEGER NOT NULL,
    start INTEGER NOT NULL,
    runs INTEGER NOT NULL,
    passed INTEGER NOT NULL,
    durations TEXT NOT NULL,
    PRIMARY KEY (check_id, ms, start)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE health_incident (
    id TEXT PRIMARY KEY,
    check_id INTEGER NOT NULL REFERENCES health_check ON DELETE CASCADE,
    since INTEGER NOT NULL,
    raised_at INTEGER NOT NULL,
    resolved_at INTEGER,
    failures INTEGER NOT NULL,
    failure TEXT,
    flapping INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX health_incident_of_check ON health_incident (check_id, raised_at);
  CREATE TABLE health_notice (
    id INTEGER PRIMARY KEY,
    target TEXT NOT NULL,
    key TEXT NOT NULL,
    notice TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    next_at INTEGER NOT NULL DEFAULT 0,
    sender TEXT,
    sending_until INTEGER NOT NULL DEFAULT 0,
    UNIQUE (target, key)
  ) STRICT;
  `,
  `
  ALTER TABLE health_incident ADD COLUMN tags TEXT NOT NULL DEFAULT '[]';
  ALTER TABLE health_incident ADD COLUMN targets TEXT NOT NULL DEFAULT '[]';
  CREATE TABLE health_retention (at INTEGER NOT NULL) STRICT;
  `,
  // Each run asks for the open incident of its check, the page for the newest ones of all, and a target
  // for its oldest notice.
  `
  CREATE INDEX health_incident_open ON health_incident (check_id, raised_at)
    WHERE resolved_at IS NULL;
  CREATE INDEX health_incident_by_time ON health_incident (raised_at);
  CREATE INDEX health_notice_of_target ON health_notice (target);
  `,
];
