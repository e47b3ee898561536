-- Cards of the library that operators write and no release ships: 'add' is their first version. 'withdraw' takes one from every business;
-- its content is what it said last, to be brought back. Their keys begin with added-, which no built-in key does.

-- +goose Up
SET LOCAL lock_timeout = '5s';

ALTER TABLE library_versions DROP CONSTRAINT library_versions_did_check;
ALTER TABLE library_versions ADD CONSTRAINT library_versions_did_check CHECK (did IN ('edit', 'verify', 'restore', 'add', 'withdraw'));
ALTER TABLE library_versions ADD CONSTRAINT library_versions_added CHECK (did NOT IN ('add', 'withdraw') OR kind = 'card' AND key LIKE 'added-%' AND content IS NOT NULL);

-- +goose Down
DELETE FROM library_versions WHERE key LIKE 'added-%';
ALTER TABLE library_versions DROP CONSTRAINT library_versions_added;
ALTER TABLE library_versions DROP CONSTRAINT library_versions_did_check;
ALTER TABLE library_versions ADD CONSTRAINT library_versions_did_check CHECK (did IN ('edit', 'verify', 'restore'));
