-- The life of a business: where it stands, why and since when; operators' access to it, by its leave; and its end.

-- +goose Up
SET LOCAL lock_timeout = '5s';

-- state_reason is for the owner to read. erase_after: the day on which all of a closing business goes. erased: how many rows went, by
-- table; the business's row itself stays behind as the tombstone, without its name. standing_access: what operators may do without
-- asking first.
ALTER TABLE tenants
    DROP CONSTRAINT tenants_state_check,
    ADD CONSTRAINT tenants_state_check CHECK (state IN ('active', 'limited', 'suspended', 'closing', 'erased')),
    ADD COLUMN state_reason text NOT NULL DEFAULT '' CHECK (length(state_reason) <= 1000),
    ADD COLUMN state_since timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN state_by text NOT NULL DEFAULT '',
    ADD COLUMN erase_after timestamptz CHECK (erase_after IS NOT NULL OR state NOT IN ('closing', 'erased')),
    ADD COLUMN erased jsonb,
    ADD COLUMN standing_access text NOT NULL DEFAULT '' CHECK (standing_access IN ('', 'read', 'act'));
UPDATE tenants SET state_since = created_at;

-- One wish of an operator to enter a business. The clock of minutes starts when they enter; each page they open there is counted.
CREATE TABLE support_grants (
    tenant_id     uuid NOT NULL REFERENCES tenants,
    id            uuid NOT NULL,
    operator_id   uuid NOT NULL,
    operator_name text NOT NULL,
    reason        text NOT NULL CHECK (length(reason) BETWEEN 10 AND 500),
    ticket        text NOT NULL CHECK (length(ticket) BETWEEN 1 AND 60),
    scope         text NOT NULL CHECK (scope IN ('read', 'act')),
    minutes       integer NOT NULL CHECK (minutes BETWEEN 1 AND 60),
    asked_at      timestamptz NOT NULL DEFAULT now(),
    good_until    timestamptz NOT NULL,
    decided_at    timestamptz,
    decided_by    text NOT NULL DEFAULT '',
    allowed       boolean,
    standing      boolean NOT NULL DEFAULT false,
    entered_at    timestamptz,
    expires_at    timestamptz,
    ended_at      timestamptz,
    ended_by      text NOT NULL DEFAULT '',
    PRIMARY KEY (tenant_id, id),
    CHECK ((allowed IS NULL) = (decided_at IS NULL)),
    CHECK (entered_at IS NULL OR allowed),
    CHECK ((entered_at IS NULL) = (expires_at IS NULL))
);
CREATE INDEX support_grants_operator ON support_grants (operator_id, asked_at);

CREATE TABLE support_views (
    tenant_id uuid NOT NULL,
    grant_id  uuid NOT NULL,
    page      text NOT NULL,
    times     bigint NOT NULL,
    last_at   timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, grant_id, page),
    FOREIGN KEY (tenant_id, grant_id) REFERENCES support_grants
);

-- A session in a business by such a grant and not by a membership.
ALTER TABLE sessions ADD COLUMN grant_id uuid;

-- +goose StatementBegin
DO $$
DECLARE
    own constant text := 'tenant_id = nullif(current_setting(''app.tenant_id'', true), '''')::uuid';
    sys constant text := 'nullif(current_setting(''app.tenant_id'', true), '''') IS NULL';
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['support_grants', 'support_views'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY directory ON %I USING (%s OR %s) WITH CHECK (%s OR %s)', t, sys, own, sys, own);
    END LOOP;
END
$$;
-- +goose StatementEnd

-- Takes up to so many rows of a business out of a table, also of one that can otherwise only be added to, once its days of grace are
-- over. Row level security binds it as it binds its caller: in a tenant's transaction it sees that tenant.
-- +goose StatementBegin
CREATE FUNCTION erase_tenant_rows(of uuid, from_table regclass, most integer) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    n bigint;
BEGIN
    IF NOT EXISTS (SELECT 1 FROM public.tenants WHERE id = of AND state = 'erased' AND erase_after <= now()) THEN
        RAISE EXCEPTION 'this business is not to be erased';
    END IF;
    IF NOT EXISTS (SELECT 1 FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
                   WHERE c.oid = from_table AND c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')) THEN
        RAISE EXCEPTION '% holds nothing of a business', from_table;
    END IF;
    EXECUTE format('DELETE FROM %s WHERE ctid = ANY (ARRAY(SELECT ctid FROM %s WHERE tenant_id = $1 LIMIT $2))', from_table, from_table)
        USING of, most;
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN n;
END
$$;
-- +goose StatementEnd

-- +goose Down
DROP FUNCTION erase_tenant_rows;
ALTER TABLE sessions DROP COLUMN grant_id;
DROP TABLE support_views, support_grants;
ALTER TABLE tenants DROP COLUMN standing_access, DROP COLUMN erased, DROP COLUMN erase_after, DROP COLUMN state_by, DROP COLUMN state_since,
    DROP COLUMN state_reason, DROP CONSTRAINT tenants_state_check,
    ADD CONSTRAINT tenants_state_check CHECK (state IN ('active', 'limited', 'suspended', 'closing'));
