-- Asking customers for their number, and codes by which somebody whose number is hidden proves who they are.

-- +goose Up
SET LOCAL lock_timeout = '2s';

-- A message that asks an account for its phone number. What became of the asking is read from what the account wrote since, never
-- stored. No foreign keys: message and account are derived, and identifiers alone stay what they are.
CREATE TABLE asks (
    tenant_id     uuid NOT NULL,
    message_id    uuid NOT NULL,
    number_id     uuid NOT NULL,
    identifier_id uuid NOT NULL,
    purpose       text NOT NULL DEFAULT '' CHECK (purpose ~ '^[a-z_]{0,40}$'),
    language      text NOT NULL DEFAULT '' CHECK (length(language) <= 20),
    asked_at      timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, message_id)
);
CREATE INDEX asks_identifier ON asks (tenant_id, identifier_id, number_id, asked_at);
CREATE INDEX asks_at ON asks (tenant_id, asked_at);

-- +goose StatementBegin
DO $$
DECLARE
    own constant text := 'tenant_id = nullif(current_setting(''app.tenant_id'', true), '''')::uuid';
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['asks'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY tenant ON %I USING (%s) WITH CHECK (%s)', t, own, own);
    END LOOP;
END
$$;
-- +goose StatementEnd

-- +goose Down
DROP TABLE asks;
