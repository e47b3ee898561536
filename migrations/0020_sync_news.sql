-- +goose Up
SET LOCAL lock_timeout = '2s';

-- How many came is counted where they are kept; a number kept beside them could differ.
ALTER TABLE number_syncs DROP COLUMN arrived;

-- What came of the wishes is looked for again and again, among all that came for a business; and the messages are counted.
CREATE INDEX inbox_items_app ON inbox_items (tenant_id, number_id, field, received_at) WHERE field IN ('history', 'smb_app_state_sync');
CREATE INDEX messages_imported_number ON messages (tenant_id, number_id) WHERE imported;

-- +goose Down
DROP INDEX messages_imported_number, inbox_items_app;
ALTER TABLE number_syncs ADD COLUMN arrived bigint NOT NULL DEFAULT 0;
