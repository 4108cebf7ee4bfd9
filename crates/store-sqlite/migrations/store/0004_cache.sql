CREATE TABLE cached_results (
    id INTEGER NOT NULL PRIMARY KEY,
    namespace TEXT NOT NULL,
    key TEXT NOT NULL,
    revision INTEGER NOT NULL,
    run BLOB NOT NULL,
    step TEXT NOT NULL,
    at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    output TEXT NOT NULL
);
CREATE UNIQUE INDEX cached_results_by_key ON cached_results (namespace, key, revision);
CREATE INDEX cached_results_by_end ON cached_results (expires_at, id);

-- Adding up a million rows at each result takes too long. One row.
CREATE TABLE cache_totals (
    results INTEGER NOT NULL,
    bytes INTEGER NOT NULL
);
INSERT INTO cache_totals VALUES (0, 0);
CREATE TRIGGER cached_results_come AFTER INSERT ON cached_results BEGIN
    UPDATE cache_totals SET results = results + 1, bytes = bytes + NEW.bytes;
END;
CREATE TRIGGER cached_results_go AFTER DELETE ON cached_results BEGIN
    UPDATE cache_totals SET results = results - 1, bytes = bytes - OLD.bytes;
END;
