-- Failed mails can be tried again, and people have quiet hours of their own.

-- +goose Up
SET LOCAL lock_timeout = '2s';

-- A mail that failed is kept, sealed, for some days. doubtful: a mail server may have taken it without saying so, or a sender went away
-- while it handed it over; nobody has it sent again then.
ALTER TABLE mails
    DROP CONSTRAINT mails_check,
    ADD CONSTRAINT mails_sealed CHECK (CASE state WHEN 'waiting' THEN sealed IS NOT NULL WHEN 'sent' THEN sealed IS NULL ELSE true END),
    ADD COLUMN doubtful boolean NOT NULL DEFAULT false;

-- Between which minutes of the business's day somebody gets no mail from it that can wait; equal where there are no such hours.
ALTER TABLE memberships
    ADD COLUMN quiet_from smallint NOT NULL DEFAULT 0 CHECK (quiet_from BETWEEN 0 AND 1439),
    ADD COLUMN quiet_until smallint NOT NULL DEFAULT 0 CHECK (quiet_until BETWEEN 0 AND 1439);

-- +goose Down
ALTER TABLE memberships DROP COLUMN quiet_from, DROP COLUMN quiet_until;
ALTER TABLE mails NO FORCE ROW LEVEL SECURITY;
UPDATE mails SET sealed = NULL WHERE state = 'failed';
ALTER TABLE mails FORCE ROW LEVEL SECURITY;
ALTER TABLE mails
    DROP COLUMN doubtful,
    DROP CONSTRAINT mails_sealed,
    ADD CONSTRAINT mails_check CHECK ((sealed IS NULL) = (state <> 'waiting'));
