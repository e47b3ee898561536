-- Tenant tables: a business's numbers, its customers and what was said. tenant_id leads every key, and row level security is
-- forced on each of them (the loop at the end), so a forgotten WHERE shows nothing of anybody else.

-- +goose Up
SET LOCAL lock_timeout = '2s';

CREATE TABLE portfolios (
    tenant_id    uuid NOT NULL REFERENCES tenants,
    id           uuid NOT NULL,
    portfolio_id text NOT NULL CHECK (portfolio_id ~ '^[0-9]{1,32}$'),
    name         text NOT NULL DEFAULT '',
    created_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT portfolios_meta_id UNIQUE (tenant_id, portfolio_id)
);

-- scope is what an identifier is unique in: portfolio:<id>, or waba:<id> while the portfolio is not known.
CREATE TABLE numbers (
    tenant_id        uuid NOT NULL REFERENCES tenants,
    id               uuid NOT NULL,
    app_id           uuid NOT NULL,
    waba_id          text NOT NULL CHECK (waba_id ~ '^[0-9]{1,32}$'),
    phone_number_id  text NOT NULL CHECK (phone_number_id ~ '^[0-9]{1,32}$'),
    display_phone    text NOT NULL CHECK (display_phone ~ '^[0-9]{4,15}$'),
    name             text NOT NULL DEFAULT '',
    portfolio_id     text,
    scope            text NOT NULL,
    access_token     bytea,
    token_expires_at timestamptz,
    token_problem    text NOT NULL DEFAULT '',
    state            text NOT NULL CHECK (state IN ('waiting', 'connected', 'unconfirmed', 'disconnected')),
    checks           jsonb NOT NULL DEFAULT '[]',
    created_at       timestamptz NOT NULL DEFAULT now(),
    first_event_at   timestamptz,
    last_event_at    timestamptz,
    tested_at        timestamptz,
    disconnected_at  timestamptz,
    PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX numbers_active ON numbers (tenant_id, phone_number_id) WHERE state <> 'disconnected';

CREATE TABLE identifiers (
    tenant_id  uuid NOT NULL REFERENCES tenants,
    id         uuid NOT NULL,
    scope      text NOT NULL,
    kind       text NOT NULL CHECK (kind IN ('phone', 'bsuid', 'parent_bsuid')),
    value      text NOT NULL,
    raw        text NOT NULL,
    first_seen timestamptz NOT NULL,
    last_seen  timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT identifiers_value UNIQUE (tenant_id, kind, value, scope),
    CHECK (kind <> 'phone' OR value ~ '^[0-9]{4,15}$'),
    CHECK (kind <> 'bsuid' OR value ~ '^[A-Z]{2}\.[A-Za-z0-9]{1,128}$'),
    CHECK (kind <> 'parent_bsuid' OR value ~ '^[A-Z]{2}\.ENT\.[A-Za-z0-9]{1,128}$')
) WITH (fillfactor = 85);

-- WhatsApp named two identifiers of one account in one event: a BSUID (a) with a phone or parent (b). A row is a run: from the
-- first to the last such event without a silence of over 180 days.
CREATE TABLE pairings (
    tenant_id  uuid NOT NULL,
    id         uuid NOT NULL,
    bsuid_id   uuid NOT NULL,
    other_id   uuid NOT NULL,
    first_at   timestamptz NOT NULL,
    last_at    timestamptz NOT NULL,
    source     text NOT NULL,
    first_item bigint NOT NULL,
    last_item  bigint NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, bsuid_id) REFERENCES identifiers,
    FOREIGN KEY (tenant_id, other_id) REFERENCES identifiers,
    CHECK (first_at <= last_at)
) WITH (fillfactor = 85);
CREATE INDEX pairings_bsuid ON pairings (tenant_id, bsuid_id, other_id);
CREATE INDEX pairings_other ON pairings (tenant_id, other_id);

-- WhatsApp said that an account's identifiers changed from the old ones to the new ones at a time.
CREATE TABLE rotations (
    tenant_id  uuid NOT NULL,
    id         uuid NOT NULL,
    wamid      text NOT NULL,
    digest     text NOT NULL,
    type       text NOT NULL,
    at         timestamptz NOT NULL,
    old_phone  uuid,
    old_bsuid  uuid,
    old_parent uuid,
    new_phone  uuid,
    new_bsuid  uuid,
    new_parent uuid,
    item_id    bigint NOT NULL,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT rotations_said UNIQUE (tenant_id, wamid, digest),
    FOREIGN KEY (tenant_id, old_phone) REFERENCES identifiers,
    FOREIGN KEY (tenant_id, old_bsuid) REFERENCES identifiers,
    FOREIGN KEY (tenant_id, old_parent) REFERENCES identifiers,
    FOREIGN KEY (tenant_id, new_phone) REFERENCES identifiers,
    FOREIGN KEY (tenant_id, new_bsuid) REFERENCES identifiers,
    FOREIGN KEY (tenant_id, new_parent) REFERENCES identifiers
);
CREATE INDEX rotations_old_phone ON rotations (tenant_id, old_phone);
CREATE INDEX rotations_old_bsuid ON rotations (tenant_id, old_bsuid);
CREATE INDEX rotations_new_phone ON rotations (tenant_id, new_phone);
CREATE INDEX rotations_new_bsuid ON rotations (tenant_id, new_bsuid);

-- An identifier that holds for a time only (a phone, a parent) was seen with no BSUID beside it, at this second.
CREATE TABLE sightings (
    tenant_id     uuid NOT NULL,
    identifier_id uuid NOT NULL,
    at            timestamptz NOT NULL,
    item_id       bigint NOT NULL,
    PRIMARY KEY (tenant_id, identifier_id, at),
    FOREIGN KEY (tenant_id, identifier_id) REFERENCES identifiers
);

-- What a customer, a card or prose suggests: never links, only makes a case. claim_* is the identifier it speaks of.
CREATE TABLE hints (
    tenant_id   uuid NOT NULL,
    id          uuid NOT NULL,
    subject_id  uuid NOT NULL,
    kind        text NOT NULL CHECK (kind IN ('card_request', 'card_other', 'typed_number', 'rotation_prose')),
    claim_kind  text NOT NULL CHECK (claim_kind IN ('phone', 'bsuid')),
    claim_value text NOT NULL,
    at          timestamptz NOT NULL,
    item_id     bigint NOT NULL,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT hints_once UNIQUE (tenant_id, subject_id, kind, claim_kind, claim_value),
    FOREIGN KEY (tenant_id, subject_id) REFERENCES identifiers
);
CREATE INDEX hints_claim ON hints (tenant_id, claim_kind, claim_value);

-- A person as the business thinks of them. A merged-away contact stays as a tombstone that points to its survivor.
CREATE TABLE contacts (
    tenant_id    uuid NOT NULL REFERENCES tenants,
    id           uuid NOT NULL,
    display_name text NOT NULL DEFAULT '' CHECK (length(display_name) <= 200),
    notes        text NOT NULL DEFAULT '' CHECK (length(notes) <= 10000),
    external_ids jsonb NOT NULL DEFAULT '{}',
    version      integer NOT NULL DEFAULT 1,
    merged_into  uuid,
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, merged_into) REFERENCES contacts,
    CHECK (merged_into <> id)
);
CREATE INDEX contacts_merged_into ON contacts (tenant_id, merged_into) WHERE merged_into IS NOT NULL;

-- One WhatsApp account as one portfolio sees it. An identity that another absorbed keeps its row and points there. home_contact
-- is the contact it came into the book as; contact_id the one it is part of now, by what is attested and what people decided.
CREATE TABLE identities (
    tenant_id     uuid NOT NULL REFERENCES tenants,
    id            uuid NOT NULL,
    scope         text NOT NULL,
    anchor_id     uuid NOT NULL,
    home_contact  uuid,
    contact_id    uuid,
    absorbed_into uuid,
    created_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, anchor_id) REFERENCES identifiers,
    FOREIGN KEY (tenant_id, home_contact) REFERENCES contacts,
    FOREIGN KEY (tenant_id, contact_id) REFERENCES contacts,
    FOREIGN KEY (tenant_id, absorbed_into) REFERENCES identities
);
CREATE INDEX identities_contact ON identities (tenant_id, contact_id);
CREATE INDEX identities_home ON identities (tenant_id, home_contact);
CREATE INDEX identities_absorbed ON identities (tenant_id, absorbed_into) WHERE absorbed_into IS NOT NULL;
CREATE INDEX identities_anchor ON identities (tenant_id, anchor_id);

-- One identifier held by one identity over [from_at, to_at) of WhatsApp time; NULL is unbounded. Messages hang on tenures, so
-- undoing a link moves no message.
CREATE TABLE tenures (
    tenant_id     uuid NOT NULL,
    id            uuid NOT NULL,
    identity_id   uuid NOT NULL,
    identifier_id uuid NOT NULL,
    from_at       timestamptz,
    to_at         timestamptz,
    first_seen    timestamptz NOT NULL,
    last_seen     timestamptz NOT NULL,
    current       boolean NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, identity_id) REFERENCES identities,
    FOREIGN KEY (tenant_id, identifier_id) REFERENCES identifiers
) WITH (fillfactor = 85);
CREATE INDEX tenures_identity ON tenures (tenant_id, identity_id);
CREATE INDEX tenures_identifier ON tenures (tenant_id, identifier_id);

-- Usernames and profile names as WhatsApp showed them, with dates: shown and searched, never a key to anybody.
CREATE TABLE profile_facts (
    tenant_id  uuid NOT NULL,
    tenure_id  uuid NOT NULL,
    kind       text NOT NULL CHECK (kind IN ('username', 'profile_name')),
    value      text NOT NULL,
    first_seen timestamptz NOT NULL,
    last_seen  timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, tenure_id, kind, value),
    FOREIGN KEY (tenant_id, tenure_id) REFERENCES tenures
) WITH (fillfactor = 85);

-- The journal of who belongs to whom. A link that moved identities between contacts has link_moves.
CREATE TABLE links (
    tenant_id    uuid NOT NULL REFERENCES tenants,
    id           uuid NOT NULL,
    kind         text NOT NULL CHECK (kind IN ('attested', 'rotated', 'merged', 'split', 'imported', 'cut')),
    at           timestamptz NOT NULL DEFAULT now(),
    actor_kind   text NOT NULL,
    actor_id     text NOT NULL DEFAULT '',
    actor_name   text NOT NULL DEFAULT '',
    keep_contact uuid,
    lose_contact uuid,
    identity_id  uuid,
    reason       text NOT NULL DEFAULT '',
    evidence     jsonb NOT NULL DEFAULT '[]',
    case_id      uuid,
    undone_at    timestamptz,
    undone_by    text NOT NULL DEFAULT '',
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, keep_contact) REFERENCES contacts,
    FOREIGN KEY (tenant_id, lose_contact) REFERENCES contacts,
    FOREIGN KEY (tenant_id, identity_id) REFERENCES identities
);
CREATE INDEX links_keep ON links (tenant_id, keep_contact);
CREATE INDEX links_lose ON links (tenant_id, lose_contact);

CREATE TABLE link_moves (
    tenant_id    uuid NOT NULL,
    link_id      uuid NOT NULL,
    identity_id  uuid NOT NULL,
    from_contact uuid NOT NULL,
    PRIMARY KEY (tenant_id, link_id, identity_id),
    FOREIGN KEY (tenant_id, link_id) REFERENCES links,
    FOREIGN KEY (tenant_id, identity_id) REFERENCES identities,
    FOREIGN KEY (tenant_id, from_contact) REFERENCES contacts
);
CREATE INDEX link_moves_identity ON link_moves (tenant_id, identity_id);

-- What a person decided about two identifiers, and how far the evidence went that they knew then. revoked_at: taken back.
CREATE TABLE decisions (
    tenant_id   uuid NOT NULL REFERENCES tenants,
    id          uuid NOT NULL,
    kind        text NOT NULL CHECK (kind IN ('must_link', 'cannot_link', 'is_new')),
    a_id        uuid NOT NULL,
    b_id        uuid,
    known_until timestamptz NOT NULL,
    decided_at  timestamptz NOT NULL DEFAULT now(),
    actor_kind  text NOT NULL,
    actor_id    text NOT NULL DEFAULT '',
    link_id     uuid,
    case_id     uuid,
    revoked_at  timestamptz,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, a_id) REFERENCES identifiers,
    FOREIGN KEY (tenant_id, b_id) REFERENCES identifiers
);
CREATE INDEX decisions_a ON decisions (tenant_id, a_id) WHERE revoked_at IS NULL;
CREATE INDEX decisions_b ON decisions (tenant_id, b_id) WHERE revoked_at IS NULL;
CREATE INDEX decisions_link ON decisions (tenant_id, link_id) WHERE link_id IS NOT NULL;

-- An item of the queue. key says what it is about in terms of identifiers, so that deriving it twice opens it once.
CREATE TABLE cases (
    tenant_id    uuid NOT NULL REFERENCES tenants,
    id           uuid NOT NULL,
    kind         text NOT NULL CHECK (kind IN ('unresolved', 'suggested', 'conflict', 'unidentifiable')),
    state        text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'done')),
    key          text NOT NULL,
    identity_id  uuid,
    contact_id   uuid,
    candidates   jsonb NOT NULL DEFAULT '[]',
    opened_at    timestamptz NOT NULL DEFAULT now(),
    waiting_since timestamptz NOT NULL,
    hold_until   timestamptz,
    unsure_by    text[] NOT NULL DEFAULT '{}',
    lease_by     text NOT NULL DEFAULT '',
    lease_until  timestamptz,
    version      integer NOT NULL DEFAULT 1,
    outcome      text NOT NULL DEFAULT '' CHECK (outcome IN ('', 'same', 'not_same', 'new', 'proved', 'merged', 'gone')),
    closed_at    timestamptz,
    closed_by    text NOT NULL DEFAULT '',
    link_id      uuid,
    item_id      bigint,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT cases_key UNIQUE (tenant_id, key),
    FOREIGN KEY (tenant_id, identity_id) REFERENCES identities,
    FOREIGN KEY (tenant_id, contact_id) REFERENCES contacts
);
CREATE INDEX cases_open ON cases (tenant_id, waiting_since, id) WHERE state = 'open';
CREATE INDEX cases_done ON cases (tenant_id, closed_at, id) WHERE state = 'done';
CREATE INDEX cases_contact ON cases (tenant_id, contact_id);
CREATE INDEX cases_identity ON cases (tenant_id, identity_id);

CREATE TABLE messages (
    tenant_id     uuid NOT NULL,
    id            uuid NOT NULL,
    number_id     uuid NOT NULL,
    wamid         text NOT NULL,
    tenure_id     uuid,
    direction     text NOT NULL CHECK (direction IN ('in', 'out')),
    type          text NOT NULL,
    text          text NOT NULL DEFAULT '',
    content       text NOT NULL DEFAULT '',
    at            timestamptz NOT NULL,
    digest        text NOT NULL,
    group_id      text NOT NULL DEFAULT '',
    context_wamid text NOT NULL DEFAULT '',
    target_wamid  text NOT NULL DEFAULT '',
    status        text NOT NULL DEFAULT '',
    error         text NOT NULL DEFAULT '',
    item_id       bigint NOT NULL,
    received_at   timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT messages_wamid UNIQUE (tenant_id, number_id, wamid),
    FOREIGN KEY (tenant_id, number_id) REFERENCES numbers,
    FOREIGN KEY (tenant_id, tenure_id) REFERENCES tenures
) WITH (fillfactor = 90);
CREATE INDEX messages_tenure ON messages (tenant_id, tenure_id, at DESC, id DESC);
CREATE INDEX messages_target ON messages (tenant_id, target_wamid) WHERE target_wamid <> '';

-- Statuses of our own messages, kept whether or not the message is known yet. The nil participant is a one-to-one message.
CREATE TABLE statuses (
    tenant_id   uuid NOT NULL,
    number_id   uuid NOT NULL,
    wamid       text NOT NULL,
    status      text NOT NULL,
    participant uuid NOT NULL,
    at          timestamptz NOT NULL,
    digest      text NOT NULL,
    error       text NOT NULL DEFAULT '',
    tenure_id   uuid,
    item_id     bigint NOT NULL,
    PRIMARY KEY (tenant_id, number_id, wamid, status, participant),
    FOREIGN KEY (tenant_id, number_id) REFERENCES numbers,
    FOREIGN KEY (tenant_id, tenure_id) REFERENCES tenures
);

-- Narrow companions of contacts: when something last happened, and the normalised words a contact is found by.
CREATE TABLE contact_activity (
    tenant_id  uuid NOT NULL,
    contact_id uuid NOT NULL,
    last_at    timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, contact_id),
    FOREIGN KEY (tenant_id, contact_id) REFERENCES contacts
);
CREATE INDEX contact_activity_recent ON contact_activity (tenant_id, last_at DESC, contact_id DESC);

CREATE TABLE contact_words (
    tenant_id  uuid NOT NULL,
    word       text COLLATE "C" NOT NULL,
    contact_id uuid NOT NULL,
    PRIMARY KEY (tenant_id, word, contact_id),
    FOREIGN KEY (tenant_id, contact_id) REFERENCES contacts
);
CREATE INDEX contact_words_contact ON contact_words (tenant_id, contact_id);

-- The answer a write gave, so that the same Idempotency-Key gives it again.
CREATE TABLE idempotency_keys (
    tenant_id  uuid NOT NULL REFERENCES tenants,
    key        text NOT NULL CHECK (length(key) BETWEEN 1 AND 200),
    caller     text NOT NULL,
    request    bytea NOT NULL,
    status     integer NOT NULL,
    body       bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, caller, key)
);
CREATE INDEX idempotency_keys_age ON idempotency_keys (tenant_id, created_at);

-- Append-only, each entry carrying the hash of the one before; the application role may only add and read.
CREATE TABLE audit_entries (
    tenant_id   uuid NOT NULL REFERENCES tenants,
    seq         bigint NOT NULL,
    at          timestamptz NOT NULL,
    actor_kind  text NOT NULL CHECK (actor_kind IN ('person', 'api_key', 'operator', 'command', 'system')),
    actor_id    text NOT NULL DEFAULT '',
    actor_name  text NOT NULL DEFAULT '',
    action      text NOT NULL,
    object_kind text NOT NULL DEFAULT '',
    object_id   text NOT NULL DEFAULT '',
    detail      text NOT NULL DEFAULT '{}',
    prev_hash   bytea NOT NULL,
    hash        bytea NOT NULL,
    PRIMARY KEY (tenant_id, seq)
);
CREATE INDEX audit_entries_object ON audit_entries (tenant_id, object_kind, object_id, seq);
CREATE INDEX audit_entries_actor ON audit_entries (tenant_id, actor_id, seq);

-- +goose StatementBegin
DO $$
DECLARE
    own constant text := 'tenant_id = nullif(current_setting(''app.tenant_id'', true), '''')::uuid';
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['portfolios', 'numbers', 'identifiers', 'pairings', 'rotations', 'sightings', 'hints', 'contacts',
        'identities', 'tenures', 'profile_facts', 'links', 'link_moves', 'decisions', 'cases', 'messages', 'statuses',
        'contact_activity', 'contact_words', 'idempotency_keys', 'audit_entries'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY tenant ON %I USING (%s) WITH CHECK (%s)', t, own, own);
    END LOOP;
END
$$;
-- +goose StatementEnd

-- +goose Down
DROP TABLE audit_entries, idempotency_keys, contact_words, contact_activity, statuses, messages, cases, decisions, link_moves,
    links, profile_facts, tenures, identities, contacts, hints, sightings, rotations, pairings, identifiers, numbers, portfolios;
