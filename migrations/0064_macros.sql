-- Macros as a business words them: in place of the built-in ones, and its own.

-- +goose Up
SET LOCAL lock_timeout = '2s';

-- A version is never changed. removed: from here on the built-in one counts again, or the business's own is no more. answer_overrides says
-- which built-in ones a business has words of its own for, as it does of cards.
CREATE TABLE macro_versions (
    tenant_id     uuid NOT NULL REFERENCES tenants,
    macro         text NOT NULL CHECK (macro ~ '^[a-z0-9_-]{2,60}$'),
    version       integer NOT NULL CHECK (version > 0),
    removed       boolean NOT NULL DEFAULT false,
    guard         text NOT NULL DEFAULT '' CHECK (guard IN ('', 'lead', 'linked')),
    title_en      text NOT NULL,
    title_hi      text NOT NULL,
    when_en       text NOT NULL,
    when_hi       text NOT NULL,
    text_en       text NOT NULL,
    text_hi       text NOT NULL,
    text_hinglish text NOT NULL,
    by_person     text NOT NULL,
    by_name       text NOT NULL,
    at            timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, macro, version)
);

-- +goose StatementBegin
DO $$
DECLARE
    own constant text := 'tenant_id = nullif(current_setting(''app.tenant_id'', true), '''')::uuid';
BEGIN
    ALTER TABLE macro_versions ENABLE ROW LEVEL SECURITY;
    ALTER TABLE macro_versions FORCE ROW LEVEL SECURITY;
    EXECUTE format('CREATE POLICY tenant ON macro_versions USING (%s) WITH CHECK (%s)', own, own);
END
$$;
-- +goose StatementEnd

-- +goose Down
DROP TABLE macro_versions;
