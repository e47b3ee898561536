-- What is noted of a message does not look up again, and lock, what the message was just resolved by.

-- +goose Up
SET LOCAL lock_timeout = '5s';

-- A check ran and locked a row for each thread and each phone first heard of, and with that wrote a page of two large tables that nothing
-- else about a known customer's message touches. Tenures and phones come from the same transaction and change hands only under the
-- tenant's identity lock, which whoever writes here holds; what drops them drops these rows before, as with heard_weeks and messages.
ALTER TABLE thread_tips DROP CONSTRAINT thread_tips_tenant_id_tenure_id_fkey;
ALTER TABLE phone_windows DROP CONSTRAINT phone_windows_tenant_id_phone_id_fkey;

-- +goose Down
ALTER TABLE phone_windows ADD FOREIGN KEY (tenant_id, phone_id) REFERENCES identifiers ON DELETE CASCADE;
ALTER TABLE thread_tips ADD FOREIGN KEY (tenant_id, tenure_id) REFERENCES tenures ON DELETE CASCADE;
