CREATE TABLE lines (
    run BLOB NOT NULL,
    number INTEGER NOT NULL,
    step TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    at INTEGER NOT NULL,
    stream TEXT NOT NULL,
    line TEXT NOT NULL,
    PRIMARY KEY (run, number)
) WITHOUT ROWID;

-- How far each run is from its bounds.
CREATE TABLE run_logs (
    run BLOB NOT NULL PRIMARY KEY,
    lines INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    dropped INTEGER NOT NULL
) WITHOUT ROWID;
