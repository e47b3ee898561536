-- What customers say by a message of one word, and complaints on the public page.

-- +goose Up
SET LOCAL lock_timeout = '2s';

-- A word is STOP or START as the whole of a message: told to the business, not to WhatsApp.
ALTER TABLE account_signals DROP CONSTRAINT account_signals_kind_check;
ALTER TABLE account_signals ADD CONSTRAINT account_signals_kind_check CHECK (kind IN ('preference', 'security', 'word'));

ALTER TABLE trust_requests DROP CONSTRAINT trust_requests_kind_check;
ALTER TABLE trust_requests ADD CONSTRAINT trust_requests_kind_check CHECK (kind IN ('access', 'correct', 'erase', 'stop', 'grievance', 'fake', 'question'));

-- +goose Down
DELETE FROM account_signals WHERE kind = 'word';
ALTER TABLE account_signals DROP CONSTRAINT account_signals_kind_check;
ALTER TABLE account_signals ADD CONSTRAINT account_signals_kind_check CHECK (kind IN ('preference', 'security'));
DELETE FROM trust_requests WHERE kind = 'grievance';
ALTER TABLE trust_requests DROP CONSTRAINT trust_requests_kind_check;
ALTER TABLE trust_requests ADD CONSTRAINT trust_requests_kind_check CHECK (kind IN ('access', 'correct', 'erase', 'stop', 'fake', 'question'));
