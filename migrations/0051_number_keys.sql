-- What is noted of every message of a number does not look the number up again.

-- +goose Up
SET LOCAL lock_timeout = '5s';

-- The check ran, and locked the number's row, once for each row of a batch. The number is the one that the message came by, which the same
-- transaction has read; numbers go only with the whole business, and these rows with them.
ALTER TABLE heard_weeks DROP CONSTRAINT heard_weeks_tenant_id_number_id_fkey;
ALTER TABLE phone_windows DROP CONSTRAINT phone_windows_tenant_id_number_id_fkey;
ALTER TABLE thread_tips DROP CONSTRAINT thread_tips_tenant_id_number_id_fkey;

-- +goose Down
ALTER TABLE thread_tips ADD FOREIGN KEY (tenant_id, number_id) REFERENCES numbers;
ALTER TABLE phone_windows ADD FOREIGN KEY (tenant_id, number_id) REFERENCES numbers;
ALTER TABLE heard_weeks ADD FOREIGN KEY (tenant_id, number_id) REFERENCES numbers;
