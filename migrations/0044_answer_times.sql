-- +goose Up
SET LOCAL lock_timeout = '2s';

-- What people of the team sent, by when: how long customers waited is counted from it.
CREATE INDEX outbox_by_people ON outbox (tenant_id, submitted_at) WHERE actor_kind = 'person';

-- +goose Down
DROP INDEX outbox_by_people;
