-- A decision is about two people, named by an identifier of each. A phone passes from one to another, so the decision keeps when
-- its person held it.

-- +goose Up
SET LOCAL lock_timeout = '2s';

-- A time at which the person meant had a_id, and b_id; past: it had passed on when the decision was taken. NULL: whoever had it then
-- (known_until).
ALTER TABLE decisions ADD COLUMN a_at timestamptz, ADD COLUMN b_at timestamptz,
    ADD COLUMN a_past boolean NOT NULL DEFAULT false, ADD COLUMN b_past boolean NOT NULL DEFAULT false;

-- Who held an identifier at a time; where nobody did, who was seen with it last. NULL where nobody ever was.
CREATE FUNCTION holder(tenant uuid, identifier uuid, at timestamptz) RETURNS uuid LANGUAGE sql STABLE AS $$
    SELECT t.identity_id FROM tenures t WHERE t.tenant_id = tenant AND t.identifier_id = identifier
    ORDER BY (t.from_at IS NULL OR t.from_at <= at) AND (t.to_at IS NULL OR t.to_at > at) DESC, t.last_seen DESC, t.id LIMIT 1
$$;

-- What those who wrote by an identifier called themselves, as the words of the name in Latin letters, and since when. A name that
-- sounds like none before it speaks against a phone's still being the same person's.
CREATE TABLE called (
    tenant_id     uuid NOT NULL,
    identifier_id uuid NOT NULL,
    words         text NOT NULL,
    first_at      timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, identifier_id, words),
    FOREIGN KEY (tenant_id, identifier_id) REFERENCES identifiers
);
ALTER TABLE called ENABLE ROW LEVEL SECURITY;
ALTER TABLE called FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON called USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);

-- +goose Down
DROP TABLE called;
DROP FUNCTION holder(uuid, uuid, timestamptz);
ALTER TABLE decisions DROP COLUMN a_at, DROP COLUMN b_at, DROP COLUMN a_past, DROP COLUMN b_past;
