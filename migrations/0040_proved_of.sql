-- Of which accounts a request was proved.

-- +goose Up
SET LOCAL lock_timeout = '2s';

-- A hash over the accounts of the contact and its version. '' where nothing is proved, and in what was proved before this was kept: that
-- is to be proved anew before anything is done on it.
ALTER TABLE privacy_requests ADD COLUMN proved_of text NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE privacy_requests DROP COLUMN proved_of;
