-- +goose Up
SET LOCAL lock_timeout = '2s';

-- Between which minutes of its day a business's people get no mail that can wait; equal where there are no such hours.
ALTER TABLE tenants
    ADD COLUMN quiet_from smallint NOT NULL DEFAULT 0 CHECK (quiet_from BETWEEN 0 AND 1439),
    ADD COLUMN quiet_until smallint NOT NULL DEFAULT 0 CHECK (quiet_until BETWEEN 0 AND 1439);

-- +goose Down
ALTER TABLE tenants DROP COLUMN quiet_from, DROP COLUMN quiet_until;
