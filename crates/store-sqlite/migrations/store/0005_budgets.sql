-- What was spent of budgets, in millionths. `run` is empty for a pool of a project, `key` for a pool without
-- keys, and begins with `=` where there is one.
CREATE TABLE budgets (
    namespace TEXT NOT NULL,
    run BLOB NOT NULL,
    pool TEXT NOT NULL,
    key TEXT NOT NULL,
    period INTEGER NOT NULL,
    spent INTEGER NOT NULL,
    added INTEGER NOT NULL,
    PRIMARY KEY (namespace, run, pool, key)
) WITHOUT ROWID;
CREATE INDEX budgets_of_runs ON budgets (run) WHERE run <> x'';
