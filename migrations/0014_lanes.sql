-- +goose Up
SET LOCAL lock_timeout = '5s';

-- Checking the number of each message and status locks the number's row, once more for every row. An item comes by a number that the
-- splitter found in the directory, and a number's row is never deleted: who disconnects one leaves it there.
ALTER TABLE messages DROP CONSTRAINT messages_tenant_id_number_id_fkey;
ALTER TABLE statuses DROP CONSTRAINT statuses_tenant_id_number_id_fkey;

-- +goose Down
ALTER TABLE statuses ADD FOREIGN KEY (tenant_id, number_id) REFERENCES numbers;
ALTER TABLE messages ADD FOREIGN KEY (tenant_id, number_id) REFERENCES numbers;
