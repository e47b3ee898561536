-- The library of ready answers as the platform's operators keep it: their words in place of those that ship, and how many businesses
-- have words of their own.

-- +goose Up
SET LOCAL lock_timeout = '5s';

-- A row is one version of a card or macro and is never changed. It belongs to no business; everybody reads it. content NULL: from here
-- on what ships counts. base: a digest of what shipped then, to tell when a release changes it. changed: the fields in which it differs
-- from the version before. written_at: when these words were written; a version that only says they still hold keeps it.
CREATE TABLE library_versions (
    kind        text NOT NULL CHECK (kind IN ('card', 'macro')),
    key         text NOT NULL CHECK (key ~ '^[a-z0-9_-]{2,60}$'),
    version     integer NOT NULL CHECK (version > 0),
    did         text NOT NULL CHECK (did IN ('edit', 'verify', 'restore')),
    content     jsonb,
    base        text NOT NULL,
    changed     text[] NOT NULL DEFAULT '{}',
    verified_on date,
    expires_on  date CHECK (expires_on > verified_on),
    written_at  timestamptz NOT NULL DEFAULT now(),
    by_name     text NOT NULL,
    at          timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (kind, key, version)
);
ALTER TABLE library_versions ENABLE ROW LEVEL SECURITY;
ALTER TABLE library_versions FORCE ROW LEVEL SECURITY;
CREATE POLICY library ON library_versions USING (true) WITH CHECK (nullif(current_setting('app.tenant_id', true), '') IS NULL);

-- Which business has words of its own for which built-in card, and nothing of the words: operators count it.
CREATE TABLE answer_overrides (
    tenant_id uuid NOT NULL,
    card      text NOT NULL,
    PRIMARY KEY (tenant_id, card)
);
CREATE INDEX answer_overrides_card ON answer_overrides (card);

-- What the platform said when a business wrote its own words, or looked at them again: '' where that was not kept yet.
ALTER TABLE answer_versions ADD COLUMN base text NOT NULL DEFAULT '';
ALTER TABLE answer_checks ADD COLUMN base text NOT NULL DEFAULT '';

ALTER TABLE answer_versions NO FORCE ROW LEVEL SECURITY;
INSERT INTO answer_overrides (tenant_id, card)
SELECT tenant_id, card FROM (
    SELECT DISTINCT ON (tenant_id, card) tenant_id, card, removed FROM answer_versions ORDER BY tenant_id, card, version DESC
) last WHERE NOT removed AND card NOT LIKE 'own-%';
ALTER TABLE answer_versions FORCE ROW LEVEL SECURITY;

-- +goose StatementBegin
DO $$
DECLARE
    own constant text := 'tenant_id = nullif(current_setting(''app.tenant_id'', true), '''')::uuid';
    sys constant text := 'nullif(current_setting(''app.tenant_id'', true), '''') IS NULL';
BEGIN
    EXECUTE 'ALTER TABLE answer_overrides ENABLE ROW LEVEL SECURITY';
    EXECUTE 'ALTER TABLE answer_overrides FORCE ROW LEVEL SECURITY';
    EXECUTE format('CREATE POLICY directory ON answer_overrides USING (%s OR %s) WITH CHECK (%s OR %s)', sys, own, sys, own);
END
$$;
-- +goose StatementEnd

-- +goose Down
ALTER TABLE answer_checks DROP COLUMN base;
ALTER TABLE answer_versions DROP COLUMN base;
DROP TABLE answer_overrides, library_versions;
