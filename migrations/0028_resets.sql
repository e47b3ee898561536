-- +goose Up
SET LOCAL lock_timeout = '2s';

-- Links by which somebody who forgot their password sets a new one: kept as a hash, good once and for half an hour.
CREATE TABLE password_resets (
    hash       bytea PRIMARY KEY,
    person_id  uuid NOT NULL REFERENCES people,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    used_at    timestamptz
);
CREATE INDEX password_resets_person ON password_resets (person_id);
ALTER TABLE password_resets ENABLE ROW LEVEL SECURITY;
ALTER TABLE password_resets FORCE ROW LEVEL SECURITY;
CREATE POLICY system_only ON password_resets
    USING (nullif(current_setting('app.tenant_id', true), '') IS NULL) WITH CHECK (nullif(current_setting('app.tenant_id', true), '') IS NULL);

-- +goose Down
DROP TABLE password_resets;
