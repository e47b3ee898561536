-- Links made by people are few among those that made themselves: their list does not look for them among all.

-- +goose Up
SET LOCAL lock_timeout = '5s';
CREATE INDEX links_by_hand ON links (tenant_id, at, id) WHERE kind IN ('attested', 'rotated', 'merged') AND actor_kind <> 'system';

-- +goose Down
DROP INDEX links_by_hand;
