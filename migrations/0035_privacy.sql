-- What customers may ask a business to do with what it knows of them, and how long it keeps what.

-- +goose Up
SET LOCAL lock_timeout = '2s';

-- A wish of a customer. subject says whom it is about while it is open: sealed, for it holds what they are known by. proof is what
-- showed that the person is who they say. steps, found and outcome are counts and codes, never words of or about anybody.
CREATE TABLE privacy_requests (
    tenant_id    uuid NOT NULL REFERENCES tenants,
    id           uuid NOT NULL,
    kind         text NOT NULL CHECK (kind IN ('access', 'correct', 'erase', 'object', 'grievance')),
    state        text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'erasing', 'done', 'refused')),
    contact_id   uuid,
    subject      bytea,
    note         bytea,
    origin       text NOT NULL DEFAULT 'desk' CHECK (origin IN ('desk', 'page', 'restore')),
    origin_id    uuid,
    opened_at    timestamptz NOT NULL DEFAULT now(),
    opened_by    text NOT NULL DEFAULT '',
    due_at       timestamptz NOT NULL,
    proof        text NOT NULL DEFAULT '' CHECK (proof IN ('', 'wrote_from_it', 'document', 'in_person', 'call_back', 'account')),
    linked_back  boolean NOT NULL DEFAULT false,
    proved_at    timestamptz,
    proved_by    text NOT NULL DEFAULT '',
    closed_at    timestamptz,
    closed_by    text NOT NULL DEFAULT '',
    reason       text NOT NULL DEFAULT '',
    found        jsonb NOT NULL DEFAULT '{}',
    outcome      jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (tenant_id, id),
    CHECK ((proof = '') = (proved_at IS NULL)),
    CHECK ((state IN ('done', 'refused')) = (closed_at IS NOT NULL))
);
CREATE INDEX privacy_requests_open ON privacy_requests (tenant_id, due_at, id) WHERE closed_at IS NULL;
CREATE INDEX privacy_requests_recent ON privacy_requests (tenant_id, opened_at DESC, id DESC);
CREATE INDEX privacy_requests_contact ON privacy_requests (tenant_id, contact_id) WHERE contact_id IS NOT NULL;
CREATE UNIQUE INDEX privacy_requests_origin ON privacy_requests (tenant_id, origin_id) WHERE origin_id IS NOT NULL;

-- An erasure on its way. rows names what is left to remove by our own ids, subject what the person is known by, sealed; both go when it
-- is done. part and after are how far it has come.
CREATE TABLE erasures (
    tenant_id  uuid NOT NULL REFERENCES tenants,
    request_id uuid NOT NULL,
    subject    bytea,
    rows       jsonb NOT NULL,
    part       integer NOT NULL DEFAULT 0,
    after      text NOT NULL DEFAULT '',
    tries      integer NOT NULL DEFAULT 0,
    erased_at  timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, request_id),
    FOREIGN KEY (tenant_id, request_id) REFERENCES privacy_requests
);

-- Who was erased, as keyed hashes of what they were known by and of the ids of their messages: enough to know them again, and to tell
-- nobody who they were. stopped: they wanted no advertising.
CREATE TABLE tombstones (
    tenant_id uuid NOT NULL REFERENCES tenants,
    hash      bytea NOT NULL CHECK (length(hash) = 32),
    kind      text NOT NULL CHECK (kind IN ('identifier', 'wamid')),
    erased_at timestamptz NOT NULL,
    stopped   boolean NOT NULL DEFAULT false,
    PRIMARY KEY (tenant_id, hash)
);
CREATE INDEX tombstones_kind ON tombstones (tenant_id, kind, erased_at);

-- cut_due: the item was taken out of what is kept, and still stands in the delivery it came in.
ALTER TABLE inbox_items ADD COLUMN cut_due boolean NOT NULL DEFAULT false;
CREATE INDEX inbox_items_cut_due ON inbox_items (tenant_id, id) WHERE cut_due;

-- +goose StatementBegin
DO $$
DECLARE
    own constant text := 'tenant_id = nullif(current_setting(''app.tenant_id'', true), '''')::uuid';
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['privacy_requests', 'erasures', 'tombstones'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY tenant ON %I USING (%s) WITH CHECK (%s)', t, own, own);
    END LOOP;
END
$$;
-- +goose StatementEnd

-- +goose Down
DELETE FROM jobs WHERE kind LIKE 'privacy\_%';
DROP INDEX inbox_items_cut_due;
ALTER TABLE inbox_items DROP COLUMN cut_due;
DROP TABLE tombstones, erasures, privacy_requests;
