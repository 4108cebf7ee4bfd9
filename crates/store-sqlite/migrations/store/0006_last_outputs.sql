-- What the last run of a workflow gave that succeeded, of all its runs ('') or of those with a key, which is JSON
-- and so never empty.
CREATE TABLE last_outputs (
    namespace TEXT NOT NULL,
    workflow TEXT NOT NULL,
    limit_key TEXT NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (namespace, workflow, limit_key)
);
