-- Replies on their way to Meta, what Meta says can be sent, and what the business notes and hands out among its own people.

-- +goose Up
SET LOCAL lock_timeout = '2s';

-- A message somebody has sent off. It is stored with the message itself, and called at most once: before the call it becomes
-- 'sending' for good, and goes back to 'waiting' only where Meta said that it took nothing. 'unknown' ended between the call and
-- its answer; a status names it and settles that. identity_id and identifier_id are what the sender was shown, last_inbound the
-- message it answers. No foreign keys to these: they are derived, and a message outlives what was thought of its address.
CREATE TABLE outbox (
    tenant_id     uuid NOT NULL,
    id            uuid NOT NULL,
    n             bigint GENERATED ALWAYS AS IDENTITY,
    message_id    uuid NOT NULL,
    number_id     uuid NOT NULL,
    identity_id   uuid NOT NULL,
    identifier_id uuid NOT NULL,
    last_inbound  uuid,
    key           text NOT NULL CHECK (length(key) BETWEEN 1 AND 200),
    draft         bytea NOT NULL,
    content       jsonb NOT NULL,
    state         text NOT NULL DEFAULT 'waiting'
                  CHECK (state IN ('waiting', 'sending', 'unknown', 'accepted', 'failed', 'returned', 'cancelled')),
    reason        text NOT NULL DEFAULT '',
    detail        text NOT NULL DEFAULT '',
    tries         integer NOT NULL DEFAULT 0,
    lease         uuid,
    not_before    timestamptz NOT NULL DEFAULT now(),
    actor_kind    text NOT NULL,
    actor_id      text NOT NULL DEFAULT '',
    actor_name    text NOT NULL DEFAULT '',
    submitted_at  timestamptz NOT NULL DEFAULT now(),
    called_at     timestamptz,
    accepted_at   timestamptz,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT outbox_once UNIQUE (tenant_id, actor_id, key),
    FOREIGN KEY (tenant_id, number_id) REFERENCES numbers
) WITH (fillfactor = 80);
CREATE INDEX outbox_message ON outbox (tenant_id, message_id);
CREATE INDEX outbox_identity ON outbox (tenant_id, identity_id);
CREATE INDEX outbox_waiting ON outbox (tenant_id, number_id, n) WHERE state = 'waiting';
CREATE INDEX outbox_called ON outbox (tenant_id, number_id) WHERE state = 'sending';

-- A number with messages to send is served by one worker at a time, for as long as its lease runs. gen counts the submits, so that
-- a lane found empty is put to rest only if nothing came meanwhile. trouble: why nothing goes out from it now.
CREATE TABLE outbox_lanes (
    tenant_id     uuid NOT NULL REFERENCES tenants,
    number_id     uuid NOT NULL,
    ready         boolean NOT NULL DEFAULT true,
    gen           bigint NOT NULL DEFAULT 0,
    not_before    timestamptz NOT NULL DEFAULT now(),
    served_at     timestamptz NOT NULL DEFAULT now(),
    lease         uuid,
    leased_until  timestamptz NOT NULL DEFAULT now(),
    trouble       text NOT NULL DEFAULT '' CHECK (trouble IN ('', 'token', 'permission', 'not_registered', 'rate', 'graph_down')),
    trouble_since timestamptz,
    failures      integer NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, number_id)
);
CREATE INDEX outbox_lanes_ready ON outbox_lanes (not_before) WHERE ready;

-- The templates of a WABA as Graph listed them last.
CREATE TABLE template_lists (
    tenant_id  uuid NOT NULL REFERENCES tenants,
    waba_id    text NOT NULL,
    list       jsonb NOT NULL,
    fetched_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, waba_id)
);

-- What the business writes down about an account for its own people, and who of them looks after it. Both belong to the account and
-- so go with it through merges and undos.
CREATE TABLE notes (
    tenant_id   uuid NOT NULL,
    id          uuid NOT NULL,
    identity_id uuid NOT NULL,
    text        text NOT NULL CHECK (length(text) BETWEEN 1 AND 4000),
    author_kind text NOT NULL,
    author_id   text NOT NULL DEFAULT '',
    author_name text NOT NULL DEFAULT '',
    at          timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX notes_identity ON notes (tenant_id, identity_id, at DESC, id DESC);

CREATE TABLE assignments (
    tenant_id   uuid NOT NULL,
    identity_id uuid NOT NULL,
    person_id   uuid NOT NULL,
    assigned_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, identity_id)
);
CREATE INDEX assignments_person ON assignments (tenant_id, person_id);

-- +goose StatementBegin
DO $$
DECLARE
    own constant text := 'tenant_id = nullif(current_setting(''app.tenant_id'', true), '''')::uuid';
    sys constant text := 'nullif(current_setting(''app.tenant_id'', true), '''') IS NULL';
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['outbox', 'template_lists', 'notes', 'assignments'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY tenant ON %I USING (%s) WITH CHECK (%s)', t, own, own);
    END LOOP;
    ALTER TABLE outbox_lanes ENABLE ROW LEVEL SECURITY;
    ALTER TABLE outbox_lanes FORCE ROW LEVEL SECURITY;
    EXECUTE format('CREATE POLICY directory ON outbox_lanes USING (%s OR %s) WITH CHECK (%s OR %s)', sys, own, sys, own);
END
$$;
-- +goose StatementEnd

-- +goose Down
DROP TABLE assignments, notes, template_lists, outbox_lanes, outbox;
DELETE FROM messages WHERE wamid LIKE 'outbox:%';
