-- Questions of the quiz that operators take back: one that misleads must not wait for a release.

-- +goose Up
SET LOCAL lock_timeout = '5s';

-- A row is one act on a question, and is never changed; the newest says whether the question is asked. It belongs to no business;
-- everybody reads it.
CREATE TABLE item_acts (
    item    text NOT NULL CHECK (item ~ '^[a-z0-9_-]{2,60}$'),
    version integer NOT NULL CHECK (version > 0),
    did     text NOT NULL CHECK (did IN ('withdraw', 'return')),
    reason  text NOT NULL CHECK (length(reason) BETWEEN 1 AND 500),
    by_name text NOT NULL,
    at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (item, version)
);
ALTER TABLE item_acts ENABLE ROW LEVEL SECURITY;
ALTER TABLE item_acts FORCE ROW LEVEL SECURITY;
CREATE POLICY bank ON item_acts USING (true) WITH CHECK (nullif(current_setting('app.tenant_id', true), '') IS NULL);

-- +goose Down
DROP TABLE item_acts;
