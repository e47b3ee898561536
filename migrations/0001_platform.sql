-- Platform tables: what is known before, or apart from, any one tenant. A transaction of a tenant sees only its own rows of
-- them; a System transaction (no tenant set) sees them all, and nothing of any tenant's customers (those are in 0002).

-- +goose Up
SET LOCAL lock_timeout = '2s';

CREATE TABLE tenants (
    id         uuid PRIMARY KEY,
    slug       text NOT NULL CONSTRAINT tenants_slug_key UNIQUE CONSTRAINT tenants_slug_shape CHECK (slug ~ '^[a-z0-9-]{2,40}$'),
    name       text NOT NULL CHECK (length(name) BETWEEN 1 AND 120),
    state      text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'limited', 'suspended', 'closing')),
    lang       text NOT NULL DEFAULT 'en' CHECK (lang IN ('en', 'hi')),
    timezone   text NOT NULL DEFAULT 'Asia/Kolkata',
    density    text NOT NULL DEFAULT 'shop' CHECK (density IN ('shop', 'team')),
    demo       boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE people (
    id            uuid PRIMARY KEY,
    email         text NOT NULL,
    email_key     text NOT NULL CONSTRAINT people_email_key UNIQUE,
    name          text NOT NULL CHECK (length(name) BETWEEN 1 AND 120),
    password_hash text NOT NULL,
    operator_role text CHECK (operator_role IN ('admin', 'support')),
    lang          text CHECK (lang IN ('en', 'hi')),
    theme         text NOT NULL DEFAULT 'system' CHECK (theme IN ('system', 'light', 'dark')),
    density       text CHECK (density IN ('shop', 'team')),
    shortcuts     boolean NOT NULL DEFAULT true,
    created_at    timestamptz NOT NULL DEFAULT now(),
    disabled_at   timestamptz
);

CREATE TABLE memberships (
    tenant_id  uuid NOT NULL REFERENCES tenants,
    person_id  uuid NOT NULL REFERENCES people,
    role       text NOT NULL CHECK (role IN ('owner', 'lead', 'agent', 'marketing', 'developer', 'auditor')),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, person_id)
);
CREATE INDEX memberships_person ON memberships (person_id);

-- A session is found by the hash of the id its token carries, so a copy of the table signs nobody in.
CREATE TABLE sessions (
    id_hash    bytea PRIMARY KEY,
    person_id  uuid NOT NULL REFERENCES people,
    tenant_id  uuid REFERENCES tenants,
    created_at timestamptz NOT NULL DEFAULT now(),
    seen_at    timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz,
    ip         text NOT NULL DEFAULT '',
    user_agent text NOT NULL DEFAULT ''
);
CREATE INDEX sessions_person ON sessions (person_id);

-- Failed sign-ins by account and by address, so that the limit holds over any number of web servers.
CREATE TABLE sign_in_failures (
    bucket text NOT NULL,
    at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX sign_in_failures_bucket ON sign_in_failures (bucket, at);

CREATE TABLE api_keys (
    tenant_id    uuid NOT NULL REFERENCES tenants,
    id           uuid NOT NULL,
    name         text NOT NULL CHECK (length(name) BETWEEN 1 AND 120),
    prefix       text NOT NULL,
    key_hash     bytea NOT NULL CONSTRAINT api_keys_hash UNIQUE,
    scopes       text[] NOT NULL CHECK (scopes <@ ARRAY['read', 'write'] AND cardinality(scopes) > 0),
    created_by   uuid,
    created_at   timestamptz NOT NULL DEFAULT now(),
    last_used_at timestamptz,
    revoked_at   timestamptz,
    PRIMARY KEY (tenant_id, id)
);

-- A Meta app: its secret signs webhooks. tenant_id NULL is the platform's app, usable by every tenant.
CREATE TABLE apps (
    id               uuid PRIMARY KEY,
    name             text NOT NULL CONSTRAINT apps_name_key UNIQUE CONSTRAINT apps_name_shape CHECK (name ~ '^[a-z0-9-]{2,40}$'),
    tenant_id        uuid REFERENCES tenants,
    meta_app_id      text NOT NULL CHECK (meta_app_id ~ '^[0-9]{1,32}$'),
    app_secret       bytea NOT NULL,
    verify_token     bytea NOT NULL,
    old_app_secret   bytea,
    old_verify_token bytea,
    old_until        timestamptz,
    created_at       timestamptz NOT NULL DEFAULT now()
);

-- Deliveries by app. Each receiving process writes a slot of its own, so that two of them do not wait for each other's
-- commit; a figure is the sum over the slots.
CREATE TABLE app_counters (
    app_id     uuid NOT NULL REFERENCES apps,
    slot       smallint NOT NULL,
    accepted   bigint NOT NULL DEFAULT 0,
    duplicate  bigint NOT NULL DEFAULT 0,
    refused    bigint NOT NULL DEFAULT 0,
    refused_at timestamptz,
    PRIMARY KEY (app_id, slot)
);

-- Which tenant a phone_number_id belongs to, now (until IS NULL) and before. The number itself is the tenant's (0002).
CREATE TABLE number_directory (
    phone_number_id text NOT NULL,
    tenant_id       uuid NOT NULL REFERENCES tenants,
    number_id       uuid NOT NULL,
    app_id          uuid NOT NULL REFERENCES apps,
    waba_id         text NOT NULL,
    display_phone   text NOT NULL,
    since           timestamptz NOT NULL DEFAULT now(),
    until           timestamptz,
    PRIMARY KEY (tenant_id, number_id)
);
CREATE UNIQUE INDEX number_directory_active ON number_directory (phone_number_id) WHERE until IS NULL;
CREATE INDEX number_directory_waba ON number_directory (waba_id) WHERE until IS NULL;
CREATE INDEX number_directory_display ON number_directory (display_phone) WHERE until IS NULL;
CREATE INDEX number_directory_app ON number_directory (app_id) WHERE until IS NULL;

-- One webhook delivery, its bytes as they came. Stored before it is acknowledged; a body seen before is not stored again.
-- The inbox refers to its apps and events without foreign keys, which would be a third of the work of storing: nothing deletes
-- the rows they name, and app_counters, written with every event, keeps the key.
CREATE TABLE inbox_events (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    app_id      uuid NOT NULL,
    digest      bytea NOT NULL,
    body        bytea NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    split_at    timestamptz,
    CONSTRAINT inbox_events_digest UNIQUE (app_id, digest)
);
CREATE INDEX inbox_events_new ON inbox_events (id) WHERE split_at IS NULL;
ALTER TABLE inbox_events ALTER COLUMN body SET STORAGE EXTERNAL;

-- Deliveries that came again, until the splitter has counted them for the tenants they belong to.
CREATE TABLE inbox_repeats (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id bigint NOT NULL REFERENCES inbox_events
);

-- One thing of a delivery, routed, counted and processed by itself. tenant_id NULL: held, set aside or only counted at the
-- platform. since is when it came to its state, not_before when a failed one may be tried again.
CREATE TABLE inbox_items (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id        bigint NOT NULL,
    position        text NOT NULL,
    app_id          uuid NOT NULL,
    tenant_id       uuid,
    number_id       uuid,
    field           text NOT NULL,
    kind            text NOT NULL,
    phone_number_id text NOT NULL DEFAULT '',
    waba_id         text NOT NULL DEFAULT '',
    display_phone   text NOT NULL DEFAULT '',
    body            bytea NOT NULL,
    state           text NOT NULL CHECK (state IN ('waiting', 'routed', 'held', 'set_aside')),
    reason          text NOT NULL DEFAULT '',
    note            text NOT NULL DEFAULT '',
    tries           integer NOT NULL DEFAULT 0,
    received_at     timestamptz NOT NULL,
    since           timestamptz NOT NULL DEFAULT now(),
    not_before      timestamptz,
    CONSTRAINT inbox_items_position UNIQUE (event_id, position),
    CHECK (state <> 'waiting' OR tenant_id IS NOT NULL),
    CHECK (state <> 'held' OR tenant_id IS NULL)
) WITH (fillfactor = 85);
CREATE INDEX inbox_items_waiting ON inbox_items (tenant_id, id) WHERE state = 'waiting';
CREATE INDEX inbox_items_set_aside ON inbox_items (tenant_id, id) WHERE state = 'set_aside';
CREATE INDEX inbox_items_held ON inbox_items (phone_number_id, id) WHERE state = 'held';
CREATE INDEX inbox_items_tenant ON inbox_items (tenant_id, received_at, id);
ALTER TABLE inbox_items ALTER COLUMN body SET STORAGE EXTERNAL;

-- The zero-loss counters, moved in the transaction that moves the items. The slots keep the splitter (0) and a lane (1)
-- off each other's rows; a figure is the sum over them. The nil tenant is the platform, the nil number "no number".
-- accepted and repeated count deliveries, on the row of no number: each for every tenant it holds an item of.
CREATE TABLE inbox_counters (
    tenant_id  uuid NOT NULL,
    number_id  uuid NOT NULL,
    slot       smallint NOT NULL,
    received   bigint NOT NULL DEFAULT 0,
    routed     bigint NOT NULL DEFAULT 0,
    held       bigint NOT NULL DEFAULT 0,
    set_aside  bigint NOT NULL DEFAULT 0,
    waiting    bigint NOT NULL DEFAULT 0,
    duplicates bigint NOT NULL DEFAULT 0,
    accepted   bigint NOT NULL DEFAULT 0,
    repeated   bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, number_id, slot)
);

-- One row per tenant that has ever had an item. gen grows with every split, so a worker that found the lane empty cannot
-- put to sleep a lane that was woken meanwhile.
CREATE TABLE lanes (
    tenant_id uuid PRIMARY KEY,
    gen       bigint NOT NULL DEFAULT 0,
    ready     boolean NOT NULL DEFAULT false,
    not_before timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX lanes_ready ON lanes (not_before) WHERE ready;

CREATE TABLE jobs (
    id           uuid PRIMARY KEY,
    tenant_id    uuid,
    kind         text NOT NULL,
    args         jsonb NOT NULL,
    state        text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'running', 'done', 'dead')),
    total        integer NOT NULL DEFAULT 0,
    done         integer NOT NULL DEFAULT 0,
    problem      text NOT NULL DEFAULT '',
    tries        integer NOT NULL DEFAULT 0,
    run_at       timestamptz NOT NULL DEFAULT now(),
    locked_until timestamptz,
    created_at   timestamptz NOT NULL DEFAULT now(),
    finished_at  timestamptz
);
CREATE INDEX jobs_due ON jobs (run_at) WHERE state IN ('waiting', 'running');

-- What operators and commands did to the platform: append-only, each entry carrying the hash of the one before.
CREATE TABLE platform_audit (
    seq         bigint PRIMARY KEY,
    at          timestamptz NOT NULL,
    actor_kind  text NOT NULL,
    actor_id    text NOT NULL DEFAULT '',
    action      text NOT NULL,
    object_kind text NOT NULL DEFAULT '',
    object_id   text NOT NULL DEFAULT '',
    detail      text NOT NULL DEFAULT '{}',
    prev_hash   bytea NOT NULL,
    hash        bytea NOT NULL
);

-- +goose StatementBegin
DO $$
DECLARE
    own constant text := 'tenant_id = nullif(current_setting(''app.tenant_id'', true), '''')::uuid';
    sys constant text := 'nullif(current_setting(''app.tenant_id'', true), '''') IS NULL';
    t text;
BEGIN
    -- A tenant's transaction sees its own rows, System all.
    FOREACH t IN ARRAY ARRAY['memberships', 'api_keys', 'number_directory', 'inbox_items', 'inbox_counters', 'lanes', 'jobs'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY directory ON %I USING (%s OR %s) WITH CHECK (%s OR %s)', t, sys, own, sys, own);
    END LOOP;
    -- System only.
    FOREACH t IN ARRAY ARRAY['sessions', 'sign_in_failures', 'inbox_events', 'inbox_repeats', 'app_counters', 'platform_audit'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY system_only ON %I USING (%s) WITH CHECK (%s)', t, sys, sys);
    END LOOP;
    EXECUTE 'ALTER TABLE tenants ENABLE ROW LEVEL SECURITY';
    EXECUTE 'ALTER TABLE tenants FORCE ROW LEVEL SECURITY';
    EXECUTE format('CREATE POLICY directory ON tenants USING (%s OR %s)', sys, replace(own, 'tenant_id =', 'id ='));
    EXECUTE 'ALTER TABLE people ENABLE ROW LEVEL SECURITY';
    EXECUTE 'ALTER TABLE people FORCE ROW LEVEL SECURITY';
    EXECUTE format('CREATE POLICY directory ON people USING (%s OR EXISTS (SELECT 1 FROM memberships m WHERE m.person_id = people.id)) WITH CHECK (%s)', sys, sys);
    EXECUTE 'ALTER TABLE apps ENABLE ROW LEVEL SECURITY';
    EXECUTE 'ALTER TABLE apps FORCE ROW LEVEL SECURITY';
    EXECUTE format('CREATE POLICY directory ON apps USING (%s OR tenant_id IS NULL OR %s) WITH CHECK (%s OR %s)', sys, own, sys, own);
END
$$;
-- +goose StatementEnd

-- +goose Down
DROP TABLE platform_audit, jobs, lanes, inbox_counters, inbox_items, inbox_repeats, inbox_events, number_directory, app_counters, apps,
    api_keys, sign_in_failures, sessions, memberships, people, tenants;
