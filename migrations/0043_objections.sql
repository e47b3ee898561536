-- What follows when customers object, and what was corrected for them.

-- +goose Up
SET LOCAL lock_timeout = '2s';

-- An objection is a stop that also keeps others from being taken for them by their name.
ALTER TABLE consents DROP CONSTRAINT consents_channel_check;
ALTER TABLE consents ADD CONSTRAINT consents_channel_check CHECK (channel IN ('chat', 'in_person', 'call', 'form', 'objection'));

-- What was corrected, from and to, sealed: it goes when the person is erased.
ALTER TABLE privacy_requests ADD COLUMN changes bytea;

-- +goose Down
ALTER TABLE privacy_requests DROP COLUMN changes;
DELETE FROM consents WHERE channel = 'objection';
ALTER TABLE consents DROP CONSTRAINT consents_channel_check;
ALTER TABLE consents ADD CONSTRAINT consents_channel_check CHECK (channel IN ('chat', 'in_person', 'call', 'form'));
