-- Who was told by mail that the day of something they look after has passed, and who wants no such mail.

-- +goose Up
SET LOCAL lock_timeout = '2s';

ALTER TABLE memberships ADD COLUMN tasks boolean NOT NULL DEFAULT true;

-- told_to was told that told_on had passed. Another owner, or another day, is told again.
ALTER TABLE number_usernames ADD COLUMN told_to uuid, ADD COLUMN told_on date;
ALTER TABLE kit_places ADD COLUMN told_to uuid, ADD COLUMN told_on date;

-- +goose Down
DELETE FROM jobs WHERE kind = 'overdue';
ALTER TABLE kit_places DROP COLUMN told_to, DROP COLUMN told_on;
ALTER TABLE number_usernames DROP COLUMN told_to, DROP COLUMN told_on;
ALTER TABLE memberships DROP COLUMN tasks;
