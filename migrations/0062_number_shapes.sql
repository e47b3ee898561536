-- Which shapes of webhooks have come for a number: with an ID, without a phone and so on. Two moments a shape, and nothing of any customer.

-- +goose Up
SET LOCAL lock_timeout = '2s';
CREATE TABLE number_shapes (
    tenant_id uuid NOT NULL,
    number_id uuid NOT NULL,
    shape     text NOT NULL,
    first_at  timestamptz NOT NULL,
    last_at   timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, number_id, shape)
) WITH (fillfactor = 70);
ALTER TABLE number_shapes ENABLE ROW LEVEL SECURITY;
ALTER TABLE number_shapes FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON number_shapes USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);

-- +goose Down
DROP TABLE number_shapes;
