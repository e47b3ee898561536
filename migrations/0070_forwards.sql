-- Addresses of the business's own systems that its webhooks are passed on to, what is passed on to each, and what failed on the way.

-- +goose Up
SET LOCAL lock_timeout = '2s';

-- The address is sealed, as whoever knows it may know all that is asked there; host is the part of it that may be shown and logged. A target
-- of one number gets nothing that is about the account. stopped: by us, after days of failing.
CREATE TABLE forward_targets (
    tenant_id     uuid NOT NULL REFERENCES tenants,
    id            uuid NOT NULL,
    host          text NOT NULL,
    address       bytea NOT NULL,
    number_id     uuid,
    secret        bytea NOT NULL,
    old_secret    bytea,
    old_until     timestamptz,
    state         text NOT NULL DEFAULT 'on' CHECK (state IN ('on', 'paused', 'stopped', 'removed')),
    failing_since timestamptz,
    made_at       timestamptz NOT NULL DEFAULT now(),
    made_by       text NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, number_id) REFERENCES numbers,
    CONSTRAINT forward_targets_old_check CHECK ((old_secret IS NULL) = (old_until IS NULL))
);

-- One thing passed on to one target: a delivery (event_id, of the inbox), word of somebody's erasure (contact_id), or a test.
CREATE TABLE forwards (
    tenant_id  uuid NOT NULL REFERENCES tenants,
    id         uuid NOT NULL,
    target_id  uuid NOT NULL,
    kind       text NOT NULL CHECK (kind IN ('delivery', 'erased', 'test')),
    event_id   bigint,
    contact_id uuid,
    state      text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sent', 'failed', 'dropped')),
    reason     text NOT NULL DEFAULT '',
    status     integer NOT NULL DEFAULT 0,
    tries      integer NOT NULL DEFAULT 0,
    not_before timestamptz NOT NULL DEFAULT now(),
    made_at    timestamptz NOT NULL DEFAULT now(),
    done_at    timestamptz,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, target_id) REFERENCES forward_targets,
    CONSTRAINT forwards_once UNIQUE (tenant_id, target_id, event_id),
    CONSTRAINT forwards_what_check CHECK ((kind = 'delivery') = (event_id IS NOT NULL) AND (kind = 'erased') = (contact_id IS NOT NULL))
);
CREATE INDEX forwards_due ON forwards (tenant_id, target_id, not_before) WHERE state = 'waiting';
CREATE INDEX forwards_list ON forwards (tenant_id, target_id, made_at DESC, id DESC);
CREATE INDEX forwards_failed ON forwards (tenant_id, target_id) WHERE state = 'failed';
CREATE INDEX forwards_old ON forwards (tenant_id, made_at);

-- Each try that failed. answer is the beginning of what the address said, as text.
CREATE TABLE forward_tries (
    tenant_id  uuid NOT NULL,
    forward_id uuid NOT NULL,
    n          integer NOT NULL,
    at         timestamptz NOT NULL DEFAULT now(),
    reason     text NOT NULL,
    status     integer NOT NULL,
    answer     text NOT NULL DEFAULT '',
    PRIMARY KEY (tenant_id, forward_id, n),
    FOREIGN KEY (tenant_id, forward_id) REFERENCES forwards ON DELETE CASCADE
);

-- A target with something waiting is served by one worker at a time, for as long as its lease runs. gen counts what was queued, so that a
-- lane found empty is put to rest only if nothing came meanwhile; failures those in a row. not_before: when the next of what waits is due;
-- rest_until: how long a target that fails is spared, whatever is due.
CREATE TABLE forward_lanes (
    tenant_id    uuid NOT NULL REFERENCES tenants,
    target_id    uuid NOT NULL,
    ready        boolean NOT NULL DEFAULT false,
    gen          bigint NOT NULL DEFAULT 0,
    not_before   timestamptz NOT NULL DEFAULT now(),
    rest_until   timestamptz NOT NULL DEFAULT now(),
    served_at    timestamptz NOT NULL DEFAULT now(),
    lease        uuid,
    leased_until timestamptz NOT NULL DEFAULT now(),
    failures     integer NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, target_id)
);
CREATE INDEX forward_lanes_ready ON forward_lanes (not_before) WHERE ready;

-- +goose StatementBegin
DO $$
DECLARE
    own constant text := 'tenant_id = nullif(current_setting(''app.tenant_id'', true), '''')::uuid';
    sys constant text := 'nullif(current_setting(''app.tenant_id'', true), '''') IS NULL';
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['forward_targets', 'forwards', 'forward_tries'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY tenant ON %I USING (%s) WITH CHECK (%s)', t, own, own);
    END LOOP;
    ALTER TABLE forward_lanes ENABLE ROW LEVEL SECURITY;
    ALTER TABLE forward_lanes FORCE ROW LEVEL SECURITY;
    EXECUTE format('CREATE POLICY directory ON forward_lanes USING (%s OR %s) WITH CHECK (%s OR %s)', sys, own, sys, own);
END
$$;
-- +goose StatementEnd

-- +goose Down
DROP TABLE forward_lanes, forward_tries, forwards, forward_targets;
