-- +goose Up
SET LOCAL lock_timeout = '2s';

-- factor_from: since when the person has been asked for a second factor, from their first sign-in in a role that needs one.
-- signed_in_at: their last sign-in. sign_in_mails: they want to be told of one from a browser that is new to them.
ALTER TABLE people
    ADD COLUMN factor_from timestamptz,
    ADD COLUMN signed_in_at timestamptz,
    ADD COLUMN sign_in_mails boolean NOT NULL DEFAULT true;
UPDATE people p SET signed_in_at = (SELECT max(s.created_at) FROM sessions s WHERE s.person_id = p.id);

-- Authenticator apps. The secret is sealed; pending is one whose first code has not been seen. step: the last 30 seconds a code was
-- used in, so that none is used twice.
CREATE TABLE totps (
    person_id uuid PRIMARY KEY REFERENCES people,
    sealed    bytea,
    pending   bytea,
    step      bigint NOT NULL DEFAULT 0,
    added_at  timestamptz,
    CHECK ((sealed IS NULL) = (added_at IS NULL))
);

-- Passkeys: the public half, and what else a check of one needs.
CREATE TABLE passkeys (
    id         bytea PRIMARY KEY,
    person_id  uuid NOT NULL REFERENCES people,
    name       text NOT NULL CHECK (length(name) BETWEEN 1 AND 80),
    credential jsonb NOT NULL,
    added_at   timestamptz NOT NULL DEFAULT now(),
    used_at    timestamptz
);
CREATE INDEX passkeys_person ON passkeys (person_id);

-- Codes for who has lost the device, each good once, kept as a keyed hash.
CREATE TABLE recovery_codes (
    person_id uuid NOT NULL REFERENCES people,
    hash      bytea NOT NULL,
    used_at   timestamptz,
    PRIMARY KEY (person_id, hash)
);

-- Between the two steps of a sign-in, and while a device is asked for a passkey. password is a hash of the password's hash: another
-- password ends the step. browser is a hash of what ties forms to a browser. No row is worth a session.
CREATE TABLE sign_in_steps (
    hash       bytea PRIMARY KEY,
    person_id  uuid REFERENCES people,
    password   bytea,
    browser    bytea NOT NULL,
    ceremony   jsonb,
    tries      integer NOT NULL DEFAULT 0,
    expires_at timestamptz NOT NULL
);
CREATE INDEX sign_in_steps_person ON sign_in_steps (person_id);

-- Another e-mail for somebody. The link to the new one makes the change; the link to the old one takes it back.
CREATE TABLE email_changes (
    hash       bytea PRIMARY KEY,
    person_id  uuid NOT NULL REFERENCES people,
    email      text NOT NULL,
    email_key  text NOT NULL,
    old_email  text NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at    timestamptz,
    undo_hash  bytea,
    undo_until timestamptz,
    undone_at  timestamptz
);
CREATE INDEX email_changes_person ON email_changes (person_id);
CREATE INDEX email_changes_undo ON email_changes (undo_hash);

-- Businesses that somebody wants to set up, until their e-mail is proved.
CREATE TABLE signups (
    hash       bytea PRIMARY KEY,
    email      text NOT NULL,
    email_key  text NOT NULL,
    business   text NOT NULL,
    lang       text NOT NULL CHECK (lang IN ('en', 'hi')),
    expires_at timestamptz NOT NULL,
    used_at    timestamptz
);
CREATE INDEX signups_email ON signups (email_key);

-- +goose StatementBegin
DO $$
DECLARE
    t text;
    sys text := 'nullif(current_setting(''app.tenant_id'', true), '''') IS NULL';
BEGIN
    FOREACH t IN ARRAY ARRAY['totps', 'passkeys', 'recovery_codes', 'sign_in_steps', 'email_changes', 'signups'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY system_only ON %I USING (%s) WITH CHECK (%s)', t, sys, sys);
    END LOOP;
END
$$;
-- +goose StatementEnd

-- +goose Down
DROP TABLE signups, email_changes, sign_in_steps, recovery_codes, passkeys, totps;
ALTER TABLE people DROP COLUMN sign_in_mails, DROP COLUMN signed_in_at, DROP COLUMN factor_from;
