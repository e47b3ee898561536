-- +goose Up
SET LOCAL lock_timeout = '2s';

-- Who was asked to join a team. The link is kept as a hash; it is good once, for a week, and asking again makes another.
CREATE TABLE invitations (
    tenant_id   uuid NOT NULL REFERENCES tenants,
    id          uuid NOT NULL,
    email       text NOT NULL,
    email_key   text NOT NULL,
    role        text NOT NULL CHECK (role IN ('owner', 'lead', 'agent', 'marketing', 'developer', 'auditor')),
    hash        bytea NOT NULL,
    by_person   uuid NOT NULL,
    by_name     text NOT NULL,
    sent_at     timestamptz NOT NULL DEFAULT now(),
    expires_at  timestamptz NOT NULL,
    accepted_at timestamptz,
    revoked_at  timestamptz,
    PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX invitations_open ON invitations (tenant_id, email_key) WHERE accepted_at IS NULL AND revoked_at IS NULL;
CREATE INDEX invitations_hash ON invitations (hash);

-- Whoever comes by a link is in no tenant yet.
ALTER TABLE invitations ENABLE ROW LEVEL SECURITY;
ALTER TABLE invitations FORCE ROW LEVEL SECURITY;
CREATE POLICY directory ON invitations
    USING (nullif(current_setting('app.tenant_id', true), '') IS NULL OR tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (nullif(current_setting('app.tenant_id', true), '') IS NULL OR tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);

-- +goose Down
DROP TABLE invitations;
