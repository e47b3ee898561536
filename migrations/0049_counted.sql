-- What pages count, they count in an index: the tabs of the queue, and the links of some days.

-- +goose Up
SET LOCAL lock_timeout = '5s';

CREATE INDEX cases_tabs ON cases (tenant_id) INCLUDE (kind, waiting_since, hold_until, unsure_by, proposed_by)
    WHERE state = 'open' AND part_of IS NULL;
DROP INDEX links_made;
CREATE INDEX links_made ON links (tenant_id, at) INCLUDE (actor_kind, undone_at, lose_contact) WHERE kind IN ('attested', 'rotated', 'merged');

-- +goose Down
DROP INDEX cases_tabs, links_made;
CREATE INDEX links_made ON links (tenant_id, at);
