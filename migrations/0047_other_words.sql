-- Of two texts that WhatsApp sent under one message id the one written first is kept; that there was another is kept too.

-- +goose Up
SET LOCAL lock_timeout = '5s';

-- An event that carried the message in other words than these.
ALTER TABLE messages ADD COLUMN other_item bigint;

-- +goose Down
ALTER TABLE messages DROP COLUMN other_item;
