-- How far the change has come for a business's customers: who was heard from, what WhatsApp showed of them, and when their phones may
-- stop coming. Counts are kept as sums, so that no page counts customers.

-- +goose Up
SET LOCAL lock_timeout = '2s';

-- On which days of a week (bit 0 is Monday, UTC) an account was heard from by one of its identifiers, at one of the business's numbers;
-- on which of them it showed a username, and a phone. Bits are only ever added, so no order of arrival makes a difference. A tenure that
-- passes to another account takes its rows along: identity_id says whose they are now. No key to tenures: it would want an index by them.
CREATE TABLE heard_weeks (
    tenant_id   uuid NOT NULL,
    identity_id uuid NOT NULL,
    week        date NOT NULL CHECK (extract(isodow FROM week) = 1),
    number_id   uuid NOT NULL,
    tenure_id   uuid NOT NULL,
    bsuid       boolean NOT NULL,
    country     text NOT NULL,
    days        smallint NOT NULL CHECK (days BETWEEN 1 AND 127),
    named       smallint NOT NULL,
    phoned      smallint NOT NULL,
    shown       smallint NOT NULL CHECK (shown BETWEEN 0 AND 7),
    PRIMARY KEY (tenant_id, identity_id, week, number_id, tenure_id),
    FOREIGN KEY (tenant_id, number_id) REFERENCES numbers
) WITH (fillfactor = 80);
-- shown is all of that in the week, as in heard_last: it changes seldom, so that most updates touch no index.
CREATE INDEX heard_weeks_walk ON heard_weeks (tenant_id, week, shown, identity_id DESC);

-- When an account was last heard from at a place, and what it showed in that week: 1 a WhatsApp ID, 2 a username, 4 a phone, added up.
-- A place is a number, or of accounts heard from at several numbers of a portfolio also that; those rows of numbers are several.
CREATE TABLE heard_last (
    tenant_id   uuid NOT NULL,
    identity_id uuid NOT NULL,
    place       text COLLATE "C" NOT NULL,
    day         date NOT NULL,
    shown       smallint NOT NULL CHECK (shown BETWEEN 0 AND 7),
    country     text NOT NULL,
    several     boolean NOT NULL,
    PRIMARY KEY (tenant_id, identity_id, place)
) WITH (fillfactor = 80);
CREATE INDEX heard_last_walk ON heard_last (tenant_id, place, shown, day DESC, identity_id DESC) INCLUDE (country, several);

-- When one of the business's numbers and a customer's phone last had to do with each other: WhatsApp may show the phone for 30 days more.
-- holder: 0 nobody has the phone any more, 1 an account without a known WhatsApp ID has, 2 one with an ID.
CREATE TABLE phone_windows (
    tenant_id uuid NOT NULL,
    phone_id  uuid NOT NULL,
    number_id uuid NOT NULL,
    last_at   timestamptz NOT NULL,
    hour      timestamptz NOT NULL,
    holder    smallint NOT NULL CHECK (holder BETWEEN 0 AND 2),
    PRIMARY KEY (tenant_id, phone_id, number_id),
    FOREIGN KEY (tenant_id, phone_id) REFERENCES identifiers ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, number_id) REFERENCES numbers
) WITH (fillfactor = 80);
CREATE INDEX phone_windows_walk ON phone_windows (tenant_id, holder, hour, phone_id, number_id);

-- Sums over the three: n accounts (of kind phone, phones at numbers) at a place and time. at is the day, the Monday, the day last heard
-- from, or the hour of phone_windows; shown is what was shown, or the holder.
CREATE TABLE adoption_cells (
    tenant_id uuid NOT NULL,
    kind      text COLLATE "C" NOT NULL CHECK (kind IN ('day', 'week', 'last', 'phone')),
    place     text COLLATE "C" NOT NULL,
    at        timestamptz NOT NULL,
    country   text COLLATE "C" NOT NULL,
    shown     smallint NOT NULL,
    n         bigint NOT NULL,
    PRIMARY KEY (tenant_id, kind, place, at, country, shown)
) WITH (fillfactor = 50);

-- What the owner says of a portfolio's contact book, which nobody can read.
CREATE TABLE contact_books (
    tenant_id uuid NOT NULL REFERENCES tenants,
    scope     text NOT NULL,
    state     text NOT NULL CHECK (state IN ('on', 'off')),
    said_at   timestamptz NOT NULL DEFAULT now(),
    said_by   text NOT NULL,
    PRIMARY KEY (tenant_id, scope)
);

-- Groups of customers kept under a name, as the filter that finds them.
CREATE TABLE segments (
    tenant_id  uuid NOT NULL REFERENCES tenants,
    id         uuid NOT NULL,
    name       text NOT NULL CHECK (length(name) BETWEEN 1 AND 80),
    filter     text NOT NULL,
    made_at    timestamptz NOT NULL DEFAULT now(),
    made_by    text NOT NULL,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT segments_name UNIQUE (tenant_id, name)
);

-- Whoever has customers already: a job each counts what was said before.
ALTER TABLE messages NO FORCE ROW LEVEL SECURITY;
ALTER TABLE tenants NO FORCE ROW LEVEL SECURITY;
ALTER TABLE jobs NO FORCE ROW LEVEL SECURITY;
INSERT INTO jobs (id, tenant_id, kind, args)
SELECT md5('adoption_fill ' || t.id::text)::uuid, t.id, 'adoption_fill', '{}'
FROM tenants t WHERE EXISTS (SELECT 1 FROM messages m WHERE m.tenant_id = t.id)
ON CONFLICT (id) DO NOTHING;
ALTER TABLE messages FORCE ROW LEVEL SECURITY;
ALTER TABLE tenants FORCE ROW LEVEL SECURITY;
ALTER TABLE jobs FORCE ROW LEVEL SECURITY;

-- How long decisions took, and what came of links, by when they were taken.
CREATE INDEX links_made ON links (tenant_id, at);

-- +goose StatementBegin
DO $$
DECLARE
    own constant text := 'tenant_id = nullif(current_setting(''app.tenant_id'', true), '''')::uuid';
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['heard_weeks', 'heard_last', 'phone_windows', 'adoption_cells', 'contact_books', 'segments'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY tenant ON %I USING (%s) WITH CHECK (%s)', t, own, own);
    END LOOP;
END
$$;
-- +goose StatementEnd

-- +goose Down
DROP INDEX links_made;
DELETE FROM jobs WHERE kind = 'adoption_fill';
DROP TABLE segments, contact_books, adoption_cells, phone_windows, heard_last, heard_weeks;
