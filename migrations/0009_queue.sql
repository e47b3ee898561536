-- What the queue is ordered by, cases that are part of another, a second person's yes, and many cases decided at once.

-- +goose Up
SET LOCAL lock_timeout = '2s';

-- asked_at: when they last wrote; answered_at: when the business last did. Whoever asked last within WhatsApp's 24 hours waits for an
-- answer. money: their last words are about an order or a payment. part_of: the open case that asks about the same people.
-- proposed_*: somebody said "same person" against a warning, which takes a second person.
ALTER TABLE cases ADD COLUMN asked_at timestamptz, ADD COLUMN answered_at timestamptz, ADD COLUMN money boolean NOT NULL DEFAULT false,
    ADD COLUMN part_of uuid, ADD COLUMN proposed_by text NOT NULL DEFAULT '', ADD COLUMN proposed_contact uuid,
    ADD COLUMN proposed_reason text NOT NULL DEFAULT '',
    ADD FOREIGN KEY (tenant_id, part_of) REFERENCES cases ON DELETE SET NULL (part_of);
CREATE INDEX cases_asked ON cases (tenant_id, asked_at, id) WHERE state = 'open' AND (answered_at IS NULL OR answered_at < asked_at);
CREATE INDEX cases_money ON cases (tenant_id, money, waiting_since, id) WHERE state = 'open';
CREATE INDEX cases_part ON cases (tenant_id, part_of) WHERE part_of IS NOT NULL;

-- settled: WhatsApp's proof ended an open case by itself.
ALTER TABLE links DROP CONSTRAINT links_kind_check;
ALTER TABLE links ADD CONSTRAINT links_kind_check CHECK (kind IN ('attested', 'rotated', 'merged', 'split', 'imported', 'cut', 'settled'));

-- Many cases decided at once: what was chosen, what was done to each or why not, and what could not be taken back.
CREATE TABLE bulks (
    tenant_id  uuid NOT NULL REFERENCES tenants,
    id         uuid NOT NULL,
    decision   text NOT NULL CHECK (decision IN ('new', 'same')),
    evidence   text NOT NULL DEFAULT '',
    state      text NOT NULL DEFAULT 'draft' CHECK (state IN ('draft', 'running', 'done', 'undoing', 'undone')),
    cut_short  boolean NOT NULL DEFAULT false,
    actor_kind text NOT NULL,
    actor_id   text NOT NULL DEFAULT '',
    actor_name text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    ended_at   timestamptz,
    PRIMARY KEY (tenant_id, id)
);

-- state: chosen, done, skipped (why), undone, kept (why it could not be taken back).
CREATE TABLE bulk_items (
    tenant_id  uuid NOT NULL,
    bulk_id    uuid NOT NULL,
    n          integer NOT NULL,
    case_id    uuid NOT NULL,
    contact_id uuid,
    state      text NOT NULL DEFAULT 'chosen' CHECK (state IN ('chosen', 'done', 'skipped', 'undone', 'kept')),
    why        text NOT NULL DEFAULT '',
    link_id    uuid,
    PRIMARY KEY (tenant_id, bulk_id, n),
    CONSTRAINT bulk_items_once UNIQUE (tenant_id, bulk_id, case_id),
    FOREIGN KEY (tenant_id, bulk_id) REFERENCES bulks ON DELETE CASCADE
);

ALTER TABLE decisions ADD COLUMN bulk_id uuid;
CREATE INDEX decisions_bulk ON decisions (tenant_id, bulk_id, case_id) WHERE bulk_id IS NOT NULL;

-- +goose StatementBegin
DO $$
DECLARE
    own constant text := 'tenant_id = nullif(current_setting(''app.tenant_id'', true), '''')::uuid';
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['bulks', 'bulk_items'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY tenant ON %I USING (%s) WITH CHECK (%s)', t, own, own);
    END LOOP;
END
$$;
-- +goose StatementEnd

-- +goose Down
DROP TABLE bulk_items, bulks;
ALTER TABLE decisions DROP COLUMN bulk_id;
DELETE FROM links WHERE kind = 'settled';
ALTER TABLE links DROP CONSTRAINT links_kind_check;
ALTER TABLE links ADD CONSTRAINT links_kind_check CHECK (kind IN ('attested', 'rotated', 'merged', 'split', 'imported', 'cut'));
ALTER TABLE cases DROP COLUMN asked_at, DROP COLUMN answered_at, DROP COLUMN money, DROP COLUMN part_of, DROP COLUMN proposed_by,
    DROP COLUMN proposed_contact, DROP COLUMN proposed_reason;
