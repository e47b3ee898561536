-- +goose Up
SET LOCAL lock_timeout = '2s';

-- What an owner wants by mail: a word when something is wrong, and the weekly digest.
ALTER TABLE memberships
    ADD COLUMN alerts boolean NOT NULL DEFAULT true,
    ADD COLUMN digest boolean NOT NULL DEFAULT true;

-- +goose Down
ALTER TABLE memberships DROP COLUMN alerts, DROP COLUMN digest;
