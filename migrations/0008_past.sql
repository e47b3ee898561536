-- Whoever is known from past chats alone is asked about when they write: find those messages without reading a whole thread.

-- +goose Up
SET LOCAL lock_timeout = '2s';
CREATE INDEX messages_imported ON messages (tenant_id, tenure_id) WHERE imported;

-- +goose Down
DROP INDEX messages_imported;
