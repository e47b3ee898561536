-- Asking customers for their number, and codes by which somebody whose number is hidden proves who they are.

-- +goose Up
SET LOCAL lock_timeout = '2s';

-- A message that asks an account for its phone number. What became of the asking is read from what the account wrote since, never
-- stored. No foreign keys: message and account are derived, and identifiers alone stay what they are.
CREATE TABLE asks (
    tenant_id     uuid NOT NULL,
    message_id    uuid NOT NULL,
    number_id     uuid NOT NULL,
    identifier_id uuid NOT NULL,
    purpose       text NOT NULL DEFAULT '' CHECK (purpose ~ '^[a-z_]{0,40}$'),
    language      text NOT NULL DEFAULT '' CHECK (length(language) <= 20),
    asked_at      timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, message_id)
);
CREATE INDEX asks_identifier ON asks (tenant_id, identifier_id, number_id, asked_at);
CREATE INDEX asks_at ON asks (tenant_id, asked_at);

-- A code made for who has a phone, to be sent to them by SMS, mail or on a bill: whoever sends it from WhatsApp had what was sent there.
-- Only its keyed hash is kept. once: counts for one message until it expires; printed: may be sent by many, and is no more than a
-- strong sign. used_by is the identifier that sent it first.
CREATE TABLE link_codes (
    tenant_id  uuid NOT NULL,
    id         uuid NOT NULL,
    hash       bytea NOT NULL CHECK (length(hash) = 32),
    kind       text NOT NULL CHECK (kind IN ('once', 'printed')),
    phone      text NOT NULL CHECK (phone ~ '^[0-9]{4,15}$'),
    made_by    text NOT NULL DEFAULT '',
    made_at    timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    used_at    timestamptz,
    used_by    uuid,
    revoked_at timestamptz,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT link_codes_hash UNIQUE (tenant_id, hash),
    CHECK ((kind = 'once') = (expires_at IS NOT NULL))
);
CREATE INDEX link_codes_phone ON link_codes (tenant_id, phone, made_at);

-- What looked like a code and was none that counts, by who sent it: whoever guesses is not listened to any more for a while.
CREATE TABLE link_code_tries (
    tenant_id     uuid NOT NULL,
    identifier_id uuid NOT NULL,
    at            timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, identifier_id, at)
);

-- A code is evidence of a kind that may link by itself (matching.md A8).
ALTER TABLE link_rules DROP CONSTRAINT link_rules_evidence_check;
ALTER TABLE link_rules ADD CONSTRAINT link_rules_evidence_check CHECK (evidence IN ('card_request', 'same_parent', 'quoted_reply', 'tapped', 'link_code'));

-- +goose StatementBegin
DO $$
DECLARE
    own constant text := 'tenant_id = nullif(current_setting(''app.tenant_id'', true), '''')::uuid';
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['asks', 'link_codes', 'link_code_tries'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY tenant ON %I USING (%s) WITH CHECK (%s)', t, own, own);
    END LOOP;
END
$$;
-- +goose StatementEnd

-- +goose Down
DELETE FROM link_rules WHERE evidence = 'link_code';
ALTER TABLE link_rules DROP CONSTRAINT link_rules_evidence_check;
ALTER TABLE link_rules ADD CONSTRAINT link_rules_evidence_check CHECK (evidence IN ('card_request', 'same_parent', 'quoted_reply', 'tapped'));
DELETE FROM hints WHERE kind IN ('link_code', 'printed_code');
DROP TABLE link_code_tries, link_codes, asks;
