-- What WhatsApp sends besides messages and statuses: calls, preferences, the owner's saved names, past chats, notices about the
-- business's own account and numbers, and what nobody has documented.

-- +goose Up
SET LOCAL lock_timeout = '2s';

-- imported: the only copy we have came with the history of a number shared with the Business app.
ALTER TABLE messages ADD COLUMN imported boolean NOT NULL DEFAULT false;

-- What WhatsApp said of one call; the call itself is a message of type call, made from these in whatever order they came.
CREATE TABLE call_events (
    tenant_id uuid NOT NULL,
    number_id uuid NOT NULL,
    wacid     text NOT NULL,
    event     text NOT NULL,
    at        timestamptz NOT NULL,
    digest    text NOT NULL,
    direction text NOT NULL CHECK (direction IN ('in', 'out')),
    outcome   text NOT NULL DEFAULT '',
    seconds   integer NOT NULL DEFAULT 0 CHECK (seconds >= 0),
    item_id   bigint NOT NULL,
    PRIMARY KEY (tenant_id, number_id, wacid, event),
    FOREIGN KEY (tenant_id, number_id) REFERENCES numbers
);

-- What WhatsApp passes on about an account: marketing stopped or resumed, or its security code changed. It stands under every
-- identifier that was named, and counts for whoever held that identifier at the time.
CREATE TABLE account_signals (
    tenant_id     uuid NOT NULL,
    identifier_id uuid NOT NULL,
    number_id     uuid NOT NULL,
    kind          text NOT NULL CHECK (kind IN ('preference', 'security')),
    category      text NOT NULL,
    at            timestamptz NOT NULL,
    value         text NOT NULL,
    item_id       bigint NOT NULL,
    PRIMARY KEY (tenant_id, identifier_id, number_id, kind, category, at),
    FOREIGN KEY (tenant_id, identifier_id) REFERENCES identifiers,
    FOREIGN KEY (tenant_id, number_id) REFERENCES numbers
);

-- The history of a number names the owner of a past chat by the ids they had when it was shared, so a BSUID beside a phone or
-- parent is believed only where nothing live says otherwise.
CREATE TABLE past_pairings (
    tenant_id uuid NOT NULL,
    bsuid_id  uuid NOT NULL,
    other_id  uuid NOT NULL,
    first_at  timestamptz NOT NULL,
    last_at   timestamptz NOT NULL,
    item_id   bigint NOT NULL,
    PRIMARY KEY (tenant_id, bsuid_id, other_id),
    FOREIGN KEY (tenant_id, bsuid_id) REFERENCES identifiers,
    FOREIGN KEY (tenant_id, other_id) REFERENCES identifiers,
    CHECK (first_at <= last_at)
);
CREATE INDEX past_pairings_other ON past_pairings (tenant_id, other_id);

-- The owner's own address book, as the Business app shares it: the last word on each entry. A phone in it was typed by a person,
-- so it names a candidate and links nobody.
CREATE TABLE saved_contacts (
    tenant_id uuid NOT NULL,
    number_id uuid NOT NULL,
    phone     text NOT NULL,
    bsuid     text NOT NULL,
    name      text NOT NULL DEFAULT '',
    removed   boolean NOT NULL DEFAULT false,
    at        timestamptz NOT NULL,
    digest    text NOT NULL,
    item_id   bigint NOT NULL,
    PRIMARY KEY (tenant_id, number_id, phone, bsuid),
    FOREIGN KEY (tenant_id, number_id) REFERENCES numbers,
    CHECK (phone <> '' OR bsuid <> '')
);
CREATE INDEX saved_contacts_phone ON saved_contacts (tenant_id, phone) WHERE phone <> '';
CREATE INDEX saved_contacts_bsuid ON saved_contacts (tenant_id, bsuid) WHERE bsuid <> '';

-- What WhatsApp says about the business's own WABA (number_id NULL) or number. facts are the plain members of what it sent.
CREATE TABLE notices (
    tenant_id   uuid NOT NULL REFERENCES tenants,
    id          uuid NOT NULL,
    waba_id     text NOT NULL,
    number_id   uuid,
    field       text NOT NULL,
    event       text NOT NULL,
    at          timestamptz NOT NULL,
    digest      text NOT NULL,
    facts       jsonb NOT NULL,
    item_id     bigint NOT NULL,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT notices_once UNIQUE NULLS NOT DISTINCT (tenant_id, waba_id, number_id, field, at, digest),
    FOREIGN KEY (tenant_id, number_id) REFERENCES numbers
);
CREATE INDEX notices_number ON notices (tenant_id, number_id, at DESC, id DESC);
CREATE INDEX notices_waba ON notices (tenant_id, waba_id, at DESC, id DESC);

-- What came and is in no documentation we know, by tenant: first and last sight, how often, and a sample with nothing of a
-- customer in it. A platform table, so that the operator sees what changes at WhatsApp without seeing any customer.
CREATE TABLE drift (
    tenant_id uuid NOT NULL,
    field     text NOT NULL,
    what      text NOT NULL,
    first_at  timestamptz NOT NULL,
    last_at   timestamptz NOT NULL,
    times     bigint NOT NULL,
    sample    text NOT NULL,
    PRIMARY KEY (tenant_id, field, what)
);

-- +goose StatementBegin
DO $$
DECLARE
    own constant text := 'tenant_id = nullif(current_setting(''app.tenant_id'', true), '''')::uuid';
    sys constant text := 'nullif(current_setting(''app.tenant_id'', true), '''') IS NULL';
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['call_events', 'account_signals', 'past_pairings', 'saved_contacts', 'notices'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY tenant ON %I USING (%s) WITH CHECK (%s)', t, own, own);
    END LOOP;
    EXECUTE 'ALTER TABLE drift ENABLE ROW LEVEL SECURITY';
    EXECUTE 'ALTER TABLE drift FORCE ROW LEVEL SECURITY';
    EXECUTE format('CREATE POLICY directory ON drift USING (%s OR %s) WITH CHECK (%s OR %s)', sys, own, sys, own);
END
$$;
-- +goose StatementEnd

-- +goose Down
DROP TABLE drift, notices, saved_contacts, past_pairings, account_signals, call_events;
ALTER TABLE messages DROP COLUMN imported;
