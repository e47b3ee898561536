-- Where a business's name is printed, who sees to it and by when.

-- +goose Up
SET LOCAL lock_timeout = '2s';

-- A place without a row is still to be done, by nobody yet. none: this business has no such place.
CREATE TABLE kit_places (
    tenant_id  uuid NOT NULL REFERENCES tenants,
    place      text NOT NULL CHECK (place IN ('board', 'bill', 'packaging', 'card', 'google', 'qr')),
    state      text NOT NULL DEFAULT 'todo' CHECK (state IN ('todo', 'done', 'none')),
    owner_id   uuid,
    due_on     date,
    changed_by text NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, place)
);

-- +goose StatementBegin
DO $$
DECLARE
    own constant text := 'tenant_id = nullif(current_setting(''app.tenant_id'', true), '''')::uuid';
BEGIN
    ALTER TABLE kit_places ENABLE ROW LEVEL SECURITY;
    ALTER TABLE kit_places FORCE ROW LEVEL SECURITY;
    EXECUTE format('CREATE POLICY tenant ON kit_places USING (%s) WITH CHECK (%s)', own, own);
END
$$;
-- +goose StatementEnd

-- +goose Down
DROP TABLE kit_places;
