-- What waits for a person: open questions, and incidents. A finished run without either has no row.
CREATE TABLE notices (
    run BLOB NOT NULL,
    kind TEXT NOT NULL,
    step TEXT NOT NULL,
    namespace TEXT NOT NULL,
    since INTEGER NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (run, kind, step)
) WITHOUT ROWID;
CREATE INDEX notices_by_kind ON notices (namespace, kind, since, run, step);
