-- What a message carries that the business's own system calls a customer by: an order or bill number, the click on an advertisement.

-- +goose Up
SET LOCAL lock_timeout = '2s';
ALTER TABLE hints DROP CONSTRAINT hints_claim_kind_check;
ALTER TABLE hints ADD CONSTRAINT hints_claim_kind_check CHECK (claim_kind IN ('phone', 'bsuid', 'external'));

-- +goose Down
DELETE FROM hints WHERE claim_kind = 'external';
ALTER TABLE hints DROP CONSTRAINT hints_claim_kind_check;
ALTER TABLE hints ADD CONSTRAINT hints_claim_kind_check CHECK (claim_kind IN ('phone', 'bsuid'));
