-- While a hold stands, nothing of a business is let go for its age.

-- +goose Up
SET LOCAL lock_timeout = '2s';

CREATE TABLE legal_holds (
    tenant_id uuid NOT NULL REFERENCES tenants,
    reason    text NOT NULL,
    by_name   text NOT NULL,
    at        timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id)
);

-- +goose StatementBegin
DO $$
DECLARE
    own constant text := 'tenant_id = nullif(current_setting(''app.tenant_id'', true), '''')::uuid';
BEGIN
    ALTER TABLE legal_holds ENABLE ROW LEVEL SECURITY;
    ALTER TABLE legal_holds FORCE ROW LEVEL SECURITY;
    EXECUTE format('CREATE POLICY tenant ON legal_holds USING (%s) WITH CHECK (%s)', own, own);
END
$$;
-- +goose StatementEnd

-- +goose Down
DROP TABLE legal_holds;
