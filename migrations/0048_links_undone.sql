-- The queue says how many links were taken back this week. Few ever are, and they are counted without reading all links.

-- +goose Up
SET LOCAL lock_timeout = '5s';

CREATE INDEX links_undone ON links (tenant_id, undone_at) WHERE undone_at IS NOT NULL;

-- +goose Down
DROP INDEX links_undone;
