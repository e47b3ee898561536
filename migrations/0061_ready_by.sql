-- The day by which a business wants to know its customers by their WhatsApp IDs; its own choice, and none until it makes one.

-- +goose Up
SET LOCAL lock_timeout = '2s';
ALTER TABLE tenants ADD COLUMN ready_by date;

-- +goose Down
ALTER TABLE tenants DROP COLUMN ready_by;
