-- Where a closing leads back to.

-- +goose Up
SET LOCAL lock_timeout = '5s';

-- Of a closing that an owner began: the state the business was in, and why. '' in every other, also where an operator closed it: that is
-- not for its owners to take back.
ALTER TABLE tenants
    ADD COLUMN state_before text NOT NULL DEFAULT '' CHECK (state_before IN ('', 'active', 'limited')),
    ADD COLUMN reason_before text NOT NULL DEFAULT '' CHECK (length(reason_before) <= 1000),
    ADD CHECK (state_before = '' OR state = 'closing');
-- Operators have to give a reason, owners gave none; what it was before is not known any more.
UPDATE tenants SET state_before = 'active' WHERE state = 'closing' AND state_reason = '';

-- +goose Down
ALTER TABLE tenants DROP COLUMN reason_before, DROP COLUMN state_before;
