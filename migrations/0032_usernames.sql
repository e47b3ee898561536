-- +goose Up
SET LOCAL lock_timeout = '2s';

-- What a business plans for the username of each of its numbers, and what is known of the one it has. name is '' for none, status is
-- WhatsApp's word. What WhatsApp says by webhook stands in notices; the newer of the two counts.
CREATE TABLE number_usernames (
    tenant_id    uuid NOT NULL,
    number_id    uuid NOT NULL,
    wanted       text NOT NULL DEFAULT '',
    alternatives text[] NOT NULL DEFAULT '{}',
    owner_id     uuid,
    due_on       date,
    name         text NOT NULL DEFAULT '',
    status       text NOT NULL DEFAULT '',
    source       text NOT NULL DEFAULT '' CHECK (source IN ('', 'graph', 'person')),
    known_at     timestamptz,
    known_by     text NOT NULL DEFAULT '',
    suggestions  text[] NOT NULL DEFAULT '{}',
    suggested_at timestamptz,
    PRIMARY KEY (tenant_id, number_id),
    FOREIGN KEY (tenant_id, number_id) REFERENCES numbers
);

-- What Meta was asked to do, noted before it was asked. One that is still asking after a minute has an unknown outcome.
CREATE TABLE username_acts (
    tenant_id uuid NOT NULL,
    id        uuid NOT NULL,
    number_id uuid NOT NULL,
    kind      text NOT NULL CHECK (kind IN ('claim', 'transfer', 'delete', 'look')),
    name      text NOT NULL,
    state     text NOT NULL DEFAULT 'asking' CHECK (state IN ('asking', 'done', 'refused', 'unknown')),
    status    text NOT NULL DEFAULT '',
    code      text NOT NULL DEFAULT '',
    by_name   text NOT NULL,
    asked_at  timestamptz NOT NULL DEFAULT now(),
    ended_at  timestamptz,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, number_id) REFERENCES numbers
);
CREATE UNIQUE INDEX username_acts_asking ON username_acts (tenant_id, number_id) WHERE state = 'asking';
CREATE INDEX username_acts_newest ON username_acts (tenant_id, number_id, asked_at DESC);

-- Names that look like one of ours, as somebody looked them up by hand.
CREATE TABLE username_watch (
    tenant_id   uuid NOT NULL,
    id          uuid NOT NULL,
    name        text NOT NULL,
    state       text NOT NULL CHECK (state IN ('nobody', 'harmless', 'fake', 'reported', 'gone')),
    note        text NOT NULL DEFAULT '',
    by_name     text NOT NULL,
    seen_at     timestamptz NOT NULL DEFAULT now(),
    reported_at timestamptz,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT username_watch_name UNIQUE (tenant_id, name)
);

-- What a business shows to everybody under /t/{slug}, while it is on.
CREATE TABLE trust_pages (
    tenant_id  uuid PRIMARY KEY REFERENCES tenants,
    is_on      boolean NOT NULL DEFAULT false,
    numbers    uuid[] NOT NULL DEFAULT '{}',
    use_en     text NOT NULL DEFAULT '',
    use_hi     text NOT NULL DEFAULT '',
    asks       boolean NOT NULL DEFAULT true,
    changed_at timestamptz NOT NULL DEFAULT now(),
    changed_by text NOT NULL DEFAULT ''
);

-- What people ask there. Nobody has proved who they are.
CREATE TABLE trust_requests (
    tenant_id uuid NOT NULL,
    id        uuid NOT NULL,
    kind      text NOT NULL CHECK (kind IN ('access', 'correct', 'erase', 'stop', 'fake', 'question')),
    name      text NOT NULL,
    reach     text NOT NULL,
    body      text NOT NULL,
    lang      text NOT NULL,
    made_at   timestamptz NOT NULL DEFAULT now(),
    done_at   timestamptz,
    done_by   text NOT NULL DEFAULT '',
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id) REFERENCES trust_pages
);
CREATE INDEX trust_requests_open ON trust_requests (tenant_id, id) WHERE done_at IS NULL;

-- +goose StatementBegin
DO $$
DECLARE
    own constant text := 'tenant_id = nullif(current_setting(''app.tenant_id'', true), '''')::uuid';
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['number_usernames', 'username_acts', 'username_watch', 'trust_pages', 'trust_requests'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY tenant ON %I USING (%s) WITH CHECK (%s)', t, own, own);
    END LOOP;
END
$$;
-- +goose StatementEnd

-- +goose Down
DROP TABLE trust_requests, trust_pages, username_watch, username_acts, number_usernames;
