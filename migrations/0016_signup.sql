-- How a number became ours in Meta's own window, what only its owner may start and only once, and until when it can come back.

-- +goose Up
SET LOCAL lock_timeout = '2s';

-- on_app: the number is in the WhatsApp Business app as well, so it is never registered. onboarded_at: Meta's window last connected
-- it. pin: its two-step PIN, sealed, where we registered it. grace_until: disconnected, and until then it comes back with a press.
ALTER TABLE numbers
    ADD COLUMN on_app boolean NOT NULL DEFAULT false, ADD COLUMN onboarded_at timestamptz, ADD COLUMN pin bytea,
    ADD COLUMN registered_at timestamptz, ADD COLUMN token_checked_at timestamptz, ADD COLUMN grace_until timestamptz;

-- What was asked of the Business app, once each: the owner's address book and the chats of before. request_id is '' until WhatsApp
-- took the wish; progress is WhatsApp's own, of 100; last_at is when the last of it was received.
CREATE TABLE number_syncs (
    tenant_id  uuid NOT NULL REFERENCES tenants,
    number_id  uuid NOT NULL,
    kind       text NOT NULL CHECK (kind IN ('contacts', 'history')),
    request_id text NOT NULL DEFAULT '',
    started_at timestamptz NOT NULL DEFAULT now(),
    progress   smallint NOT NULL DEFAULT 0 CHECK (progress BETWEEN 0 AND 100),
    arrived    bigint NOT NULL DEFAULT 0,
    last_at    timestamptz,
    declined   boolean NOT NULL DEFAULT false,
    PRIMARY KEY (tenant_id, number_id, kind),
    FOREIGN KEY (tenant_id, number_id) REFERENCES numbers
);
ALTER TABLE number_syncs ENABLE ROW LEVEL SECURITY;
ALTER TABLE number_syncs FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON number_syncs USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);

-- Numbers that are connected already have their token looked at within a day, not all at once.
INSERT INTO jobs (id, tenant_id, kind, args, run_at)
SELECT md5('number_token ' || number_id)::uuid, tenant_id, 'number_token', jsonb_build_object('number_id', number_id),
       now() + random() * interval '1 day'
FROM number_directory WHERE until IS NULL;

-- +goose Down
DELETE FROM jobs WHERE kind LIKE 'number\_%';
DROP TABLE number_syncs;
ALTER TABLE numbers DROP COLUMN on_app, DROP COLUMN onboarded_at, DROP COLUMN pin, DROP COLUMN registered_at,
    DROP COLUMN token_checked_at, DROP COLUMN grace_until;
