-- An incident asks whom somebody changed or decided about in a span of time.

-- +goose Up
SET LOCAL lock_timeout = '2s';

CREATE INDEX audit_entries_changed ON audit_entries (tenant_id, at)
    WHERE actor_kind IN ('person', 'api_key', 'operator') AND object_kind IN ('contact', 'case', 'link');

-- +goose Down
DROP INDEX audit_entries_changed;
