-- Times are milliseconds since the Unix epoch, runs the 16 bytes of their UUID, digests and JSON text.

-- The one table of the hot path. Key order, no rowid, no other index: an append touches one leaf.
CREATE TABLE history (
    run BLOB NOT NULL,
    seq INTEGER NOT NULL,
    entries BLOB NOT NULL,
    PRIMARY KEY (run, seq)
) WITHOUT ROWID;

CREATE TABLE runs (
    run BLOB NOT NULL PRIMARY KEY,
    namespace TEXT NOT NULL,
    workflow TEXT NOT NULL,
    key TEXT,
    input_digest TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    closed_at INTEGER
) WITHOUT ROWID;
-- Recovery reads the open runs among a million closed ones; retention the oldest closed ones.
CREATE INDEX runs_open ON runs (run) WHERE closed_at IS NULL;
CREATE INDEX runs_closed ON runs (closed_at) WHERE closed_at IS NOT NULL;

CREATE TABLE run_keys (
    namespace TEXT NOT NULL,
    workflow TEXT NOT NULL,
    key TEXT NOT NULL,
    run BLOB NOT NULL,
    PRIMARY KEY (namespace, workflow, key)
) WITHOUT ROWID;

-- What lists show; written by the projector only. The documents stand apart, so that looking through many
-- runs reads few pages.
CREATE TABLE summaries (
    id INTEGER NOT NULL PRIMARY KEY,
    run BLOB NOT NULL UNIQUE,
    namespace TEXT NOT NULL,
    workflow TEXT NOT NULL,
    revision INTEGER NOT NULL,
    state TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    started_at INTEGER,
    finished_at INTEGER,
    waiting_kind TEXT,
    waiting_name TEXT,
    undo TEXT NOT NULL,
    tags TEXT NOT NULL,
    triggered_by TEXT,
    error_code TEXT,
    error_message TEXT,
    search TEXT NOT NULL
);
CREATE INDEX summaries_all ON summaries (namespace, created_at, run);
CREATE INDEX summaries_by_workflow ON summaries (namespace, workflow, created_at, run);
CREATE INDEX summaries_by_state ON summaries (namespace, state, created_at, run);
CREATE INDEX summaries_by_workflow_and_state ON summaries (namespace, workflow, state, created_at, run);
CREATE INDEX summaries_by_waiting ON summaries (namespace, waiting_kind, created_at, run)
    WHERE waiting_kind IS NOT NULL;

CREATE TABLE documents (
    id INTEGER NOT NULL PRIMARY KEY,
    document TEXT NOT NULL
);

-- Two rows a tag, `KEY` and `KEY=VALUE`: one lookup answers both questions.
CREATE TABLE summary_tags (
    namespace TEXT NOT NULL,
    tag TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    run BLOB NOT NULL,
    PRIMARY KEY (namespace, tag, created_at, run)
) WITHOUT ROWID;

-- Counting a million rows takes too long for a page that shows the counts.
CREATE TABLE run_counts (
    namespace TEXT NOT NULL,
    workflow TEXT NOT NULL,
    state TEXT NOT NULL,
    runs INTEGER NOT NULL,
    PRIMARY KEY (namespace, workflow, state)
) WITHOUT ROWID;

CREATE TABLE projects (
    namespace TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    files TEXT NOT NULL,
    sources TEXT NOT NULL,
    applied_at INTEGER NOT NULL,
    PRIMARY KEY (namespace, sequence)
);

CREATE TABLE workflow_revisions (
    namespace TEXT NOT NULL,
    name TEXT NOT NULL,
    number INTEGER NOT NULL,
    digest TEXT NOT NULL,
    project_sequence INTEGER NOT NULL,
    applied_at INTEGER NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (namespace, name, number)
);

CREATE TABLE workflows (
    namespace TEXT NOT NULL,
    name TEXT NOT NULL,
    number INTEGER NOT NULL,
    PRIMARY KEY (namespace, name)
) WITHOUT ROWID;

CREATE TABLE service_revisions (
    namespace TEXT NOT NULL,
    name TEXT NOT NULL,
    number INTEGER NOT NULL,
    digest TEXT NOT NULL,
    project_sequence INTEGER NOT NULL,
    applied_at INTEGER NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (namespace, name, number)
);

CREATE TABLE services (
    namespace TEXT NOT NULL,
    name TEXT NOT NULL,
    active INTEGER,
    previous INTEGER,
    state TEXT NOT NULL,
    PRIMARY KEY (namespace, name)
) WITHOUT ROWID;
