-- The fact ledger: every date and claim about WhatsApp's rollout, with source and expiry; what each person has read of it; the steps of
-- a new business; and what the weekly mail has told.

-- +goose Up
SET LOCAL lock_timeout = '5s';

-- A row is one version of a fact and is never changed: an edit adds a version. It belongs to no tenant; everybody reads it. news: what
-- it says is new, and not only that somebody has looked at the source again. dated is the day it was said or happened.
CREATE TABLE facts (
    seq         bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT facts_seq UNIQUE,
    key         text NOT NULL CHECK (key ~ '^[a-z0-9_]+([.][a-z0-9_]+)+$' AND length(key) <= 80),
    version     integer NOT NULL CHECK (version > 0),
    topic       text NOT NULL CHECK (topic IN ('rollout', 'documents', 'answers')),
    country     text NOT NULL DEFAULT '' CHECK (country = '' OR country ~ '^[A-Z]{2}$'),
    aspect      text NOT NULL DEFAULT '' CHECK (aspect IN ('', 'ids', 'usernames', 'reservation', 'hidden')),
    kind        text NOT NULL CHECK (kind IN ('text', 'date', 'status')),
    value       text NOT NULL DEFAULT '',
    title_en    text NOT NULL DEFAULT '',
    title_hi    text NOT NULL DEFAULT '',
    text_en     text NOT NULL CHECK (text_en <> ''),
    text_hi     text NOT NULL CHECK (text_hi <> ''),
    doubt_en    text NOT NULL DEFAULT '',
    doubt_hi    text NOT NULL DEFAULT '',
    sources     jsonb NOT NULL,
    verified_on date NOT NULL,
    expires_on  date,
    confidence  text NOT NULL CHECK (confidence IN ('meta', 'provider', 'seen', 'press', 'none')),
    dated       date NOT NULL,
    news        boolean NOT NULL,
    shipped     text NOT NULL DEFAULT '',
    by_name     text NOT NULL DEFAULT '',
    at          timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (key, version),
    CHECK ((title_en = '') = (title_hi = '') AND (doubt_en = '') = (doubt_hi = ''))
);
CREATE INDEX facts_news ON facts (dated, seq) WHERE news;
CREATE INDEX facts_new ON facts (seq) WHERE news;

-- How far a person has read.
CREATE TABLE fact_reads (
    tenant_id uuid NOT NULL REFERENCES tenants,
    person_id uuid NOT NULL,
    seq       bigint NOT NULL,
    at        timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, person_id)
);

-- The steps of a new business that are behind it.
CREATE TABLE start_steps (
    tenant_id uuid NOT NULL REFERENCES tenants,
    step      text NOT NULL CHECK (step IN ('look', 'connect', 'event', 'invite', 'tasks')),
    state     text NOT NULL CHECK (state IN ('done', 'skipped')),
    by_name   text NOT NULL,
    at        timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, step)
);

-- What a person answered last to each question about their first event, and how often they tried.
CREATE TABLE start_answers (
    tenant_id uuid NOT NULL REFERENCES tenants,
    person_id uuid NOT NULL,
    question  text NOT NULL,
    answer    text NOT NULL,
    correct   boolean NOT NULL,
    tries     integer NOT NULL DEFAULT 1,
    at        timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, person_id, question)
);

-- The weekly mail to an owner: up to which version of which fact it told, and when.
CREATE TABLE digests (
    tenant_id uuid NOT NULL REFERENCES tenants,
    person_id uuid NOT NULL,
    seq       bigint NOT NULL,
    sent_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, person_id)
);

-- +goose StatementBegin
DO $$
DECLARE
    own constant text := 'tenant_id = nullif(current_setting(''app.tenant_id'', true), '''')::uuid';
    sys constant text := 'nullif(current_setting(''app.tenant_id'', true), '''') IS NULL';
    t text;
BEGIN
    EXECUTE 'ALTER TABLE facts ENABLE ROW LEVEL SECURITY';
    EXECUTE 'ALTER TABLE facts FORCE ROW LEVEL SECURITY';
    EXECUTE format('CREATE POLICY ledger ON facts USING (true) WITH CHECK (%s)', sys);
    FOREACH t IN ARRAY ARRAY['fact_reads', 'start_steps', 'start_answers', 'digests'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY tenant ON %I USING (%s) WITH CHECK (%s)', t, own, own);
    END LOOP;
END
$$;
-- +goose StatementEnd

-- +goose Down
DROP TABLE digests, start_answers, start_steps, fact_reads, facts;
