-- Links that evidence of WhatsApp's makes by itself where the owner allows it (matching.md section 2): a switch for each kind of
-- evidence, the links made by it, and numbers that several people share.

-- +goose Up
SET LOCAL lock_timeout = '2s';

-- A kind of evidence without a row watches (shadow) since the business joined. tripped: the circuit breaker turned it off.
CREATE TABLE link_rules (
    tenant_id uuid NOT NULL REFERENCES tenants,
    evidence  text NOT NULL CHECK (evidence IN ('card_request', 'same_parent', 'quoted_reply', 'tapped')),
    mode      text NOT NULL CHECK (mode IN ('off', 'shadow', 'on')),
    since     timestamptz NOT NULL DEFAULT now(),
    by_name   text NOT NULL DEFAULT '',
    tripped   boolean NOT NULL DEFAULT false,
    PRIMARY KEY (tenant_id, evidence)
);

-- A phone that a family or a shop shares, as somebody of the business said: it never links by itself.
CREATE TABLE shared_phones (
    tenant_id uuid NOT NULL REFERENCES tenants,
    phone     text NOT NULL CHECK (phone ~ '^[0-9]{4,15}$'),
    by_name   text NOT NULL,
    at        timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, phone)
);

-- rule: the kind of evidence that made the link by itself. identity_id is then the account without a phone, target_id the one it
-- was linked to, proved_at WhatsApp's time of the evidence.
ALTER TABLE links ADD COLUMN rule text NOT NULL DEFAULT '', ADD COLUMN target_id uuid, ADD COLUMN proved_at timestamptz;
CREATE INDEX links_rule ON links (tenant_id, rule, at) WHERE rule <> '';
CREATE INDEX links_subject ON links (tenant_id, identity_id) WHERE rule <> '';
CREATE INDEX links_target ON links (tenant_id, target_id) WHERE target_id IS NOT NULL;

-- Replies that quote a message, by who wrote them and by what they quote.
CREATE INDEX messages_quoting ON messages (tenant_id, tenure_id) WHERE context_wamid <> '';
CREATE INDEX messages_quoted ON messages (tenant_id, context_wamid) WHERE context_wamid <> '';

-- +goose StatementBegin
DO $$
DECLARE
    own constant text := 'tenant_id = nullif(current_setting(''app.tenant_id'', true), '''')::uuid';
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['link_rules', 'shared_phones'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY tenant ON %I USING (%s) WITH CHECK (%s)', t, own, own);
    END LOOP;
END
$$;
-- +goose StatementEnd

-- +goose Down
DROP INDEX messages_quoted, messages_quoting, links_target, links_subject, links_rule;
ALTER TABLE links DROP COLUMN rule, DROP COLUMN target_id, DROP COLUMN proved_at;
DROP TABLE shared_phones, link_rules;
