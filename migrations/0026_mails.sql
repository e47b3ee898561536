-- +goose Up
SET LOCAL lock_timeout = '2s';

-- Mails on their way. One is kept, sealed, until it is sent; then only that it was. Whoever makes one names it by a key, so that
-- telling the same twice is telling it once. tenant_id NULL: the platform's own.
CREATE TABLE mails (
    id         uuid PRIMARY KEY,
    tenant_id  uuid,
    key        text NOT NULL CONSTRAINT mails_once UNIQUE,
    sealed     bytea,
    state      text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sent', 'failed')),
    tries      integer NOT NULL DEFAULT 0,
    run_at     timestamptz NOT NULL DEFAULT now(),
    problem    text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    done_at    timestamptz,
    CHECK ((sealed IS NULL) = (state <> 'waiting'))
);
CREATE INDEX mails_waiting ON mails (run_at) WHERE state = 'waiting';
CREATE INDEX mails_failed ON mails (done_at) WHERE state = 'failed';

-- A tenant may add its own and see them; only System sends.
ALTER TABLE mails ENABLE ROW LEVEL SECURITY;
ALTER TABLE mails FORCE ROW LEVEL SECURITY;
CREATE POLICY directory ON mails
    USING (nullif(current_setting('app.tenant_id', true), '') IS NULL OR tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (nullif(current_setting('app.tenant_id', true), '') IS NULL OR tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);

-- +goose Down
DROP TABLE mails;
