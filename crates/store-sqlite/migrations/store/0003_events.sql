-- Events in the order in which they were accepted; the oldest are dropped.
CREATE TABLE events (
    seq INTEGER NOT NULL PRIMARY KEY,
    namespace TEXT NOT NULL,
    key BLOB NOT NULL UNIQUE,
    id TEXT NOT NULL,
    source TEXT NOT NULL,
    type TEXT NOT NULL,
    subject TEXT,
    received_at INTEGER NOT NULL,
    document TEXT NOT NULL
);
-- Lists, and what a step that begins to wait looks through.
CREATE INDEX events_all ON events (namespace, seq);
CREATE INDEX events_by_type ON events (namespace, type, seq);
CREATE INDEX events_by_id ON events (namespace, id, seq);
CREATE INDEX events_received ON events (received_at, seq);
