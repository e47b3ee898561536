-- What happened to customers' data that should not have, and what was done: the breach kit of a business.

-- +goose Up
SET LOCAL lock_timeout = '2s';

CREATE TABLE incidents (
    tenant_id    uuid NOT NULL REFERENCES tenants,
    id           uuid NOT NULL,
    what         text NOT NULL,
    known_at     timestamptz NOT NULL,
    from_at      timestamptz NOT NULL,
    to_at        timestamptz NOT NULL CHECK (to_at >= from_at),
    viewer       text NOT NULL DEFAULT '',
    viewer_name  text NOT NULL DEFAULT '',
    consequences text NOT NULL DEFAULT '',
    measures     text NOT NULL DEFAULT '',
    advice       text NOT NULL DEFAULT '',
    findings     text NOT NULL DEFAULT '',
    contact      text NOT NULL DEFAULT '',
    opened_at    timestamptz NOT NULL DEFAULT now(),
    opened_by    text NOT NULL,
    cert_at      timestamptz,
    no_cert      boolean NOT NULL DEFAULT false,
    people_at    timestamptz,
    board_at     timestamptz,
    closed_at    timestamptz,
    closed_by    text NOT NULL DEFAULT '',
    done         text NOT NULL DEFAULT '',
    lesson       text NOT NULL DEFAULT '',
    PRIMARY KEY (tenant_id, id)
);

-- +goose StatementBegin
DO $$
DECLARE
    own constant text := 'tenant_id = nullif(current_setting(''app.tenant_id'', true), '''')::uuid';
BEGIN
    ALTER TABLE incidents ENABLE ROW LEVEL SECURITY;
    ALTER TABLE incidents FORCE ROW LEVEL SECURITY;
    EXECUTE format('CREATE POLICY tenant ON incidents USING (%s) WITH CHECK (%s)', own, own);
END
$$;
-- +goose StatementEnd

-- +goose Down
DROP TABLE incidents;
