-- How long what is kept, what customers said about offers, and who looked at whom.

-- +goose Up
SET LOCAL lock_timeout = '2s';

-- How long a business keeps a class of things, in days; a class without a row is kept. upto is how far letting go has come.
CREATE TABLE retention (
    tenant_id uuid NOT NULL REFERENCES tenants,
    class     text NOT NULL CHECK (class IN ('raw', 'messages', 'lists', 'views')),
    days      integer NOT NULL,
    by_name   text NOT NULL DEFAULT '',
    at        timestamptz NOT NULL DEFAULT now(),
    upto      timestamptz,
    PRIMARY KEY (tenant_id, class),
    CHECK (days >= CASE class WHEN 'raw' THEN 30 WHEN 'messages' THEN 90 WHEN 'lists' THEN 7 ELSE 365 END)
);

-- What a customer told the business, not WhatsApp, about offers: only added to. It belongs to the account, and goes with it through
-- merges and undos. at is when they said it.
CREATE TABLE consents (
    tenant_id   uuid NOT NULL,
    id          uuid NOT NULL,
    identity_id uuid NOT NULL,
    category    text NOT NULL CHECK (category IN ('marketing_messages')),
    value       text NOT NULL CHECK (value IN ('stop', 'resume')),
    channel     text NOT NULL CHECK (channel IN ('chat', 'in_person', 'call', 'form')),
    at          timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    by_name     text NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX consents_identity ON consents (tenant_id, identity_id, at DESC);

-- Who looked at a contact on a day, in which way and how often.
CREATE TABLE contact_views (
    tenant_id  uuid NOT NULL,
    contact_id uuid NOT NULL,
    day        date NOT NULL,
    viewer     text NOT NULL,
    how        text NOT NULL CHECK (how IN ('page', 'talk', 'reveal', 'export', 'handed')),
    name       text NOT NULL,
    times      integer NOT NULL DEFAULT 1,
    last_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, contact_id, day, viewer, how)
);
CREATE INDEX contact_views_day ON contact_views (tenant_id, day);

-- +goose StatementBegin
DO $$
DECLARE
    own constant text := 'tenant_id = nullif(current_setting(''app.tenant_id'', true), '''')::uuid';
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['retention', 'consents', 'contact_views'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY tenant ON %I USING (%s) WITH CHECK (%s)', t, own, own);
    END LOOP;
END
$$;
-- +goose StatementEnd

-- +goose Down
DELETE FROM jobs WHERE kind = 'privacy_retain';
DROP TABLE contact_views, consents, retention;
