-- A message that did not reach a phone is no sign of life of whoever had it.

-- +goose Up
SET LOCAL lock_timeout = '2s';

-- Told by the status of a message of the business's own that failed.
ALTER TABLE sightings ADD COLUMN failed boolean NOT NULL DEFAULT false;
CREATE INDEX sightings_failed ON sightings (tenant_id, identifier_id) WHERE failed;

-- +goose Down
ALTER TABLE sightings DROP COLUMN failed;
