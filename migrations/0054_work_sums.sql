-- How many cases are open, by kind and age, how many were decided, and how many links were made and taken back are sums like those of
-- adoption: no page counts cases or links.

-- +goose Up
SET LOCAL lock_timeout = '5s';

-- n cases or links of a sort (see tenants/adoption/worked.go): in a day of UTC, in a quarter of an hour, and of open cases all. Every zone's
-- days begin on a quarter.
CREATE TABLE work_sums (
    tenant_id uuid NOT NULL,
    what      text COLLATE "C" NOT NULL,
    span      text COLLATE "C" NOT NULL CHECK (span IN ('all', 'day', 'quarter')),
    at        timestamptz NOT NULL,
    n         bigint NOT NULL,
    PRIMARY KEY (tenant_id, what, span, at)
) WITH (fillfactor = 50);
ALTER TABLE work_sums ENABLE ROW LEVEL SECURITY;
ALTER TABLE work_sums FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON work_sums USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);

-- What there is already is counted here; what a program of the version before this one adds later, 'adoption rebuild' counts.
ALTER TABLE cases NO FORCE ROW LEVEL SECURITY;
ALTER TABLE links NO FORCE ROW LEVEL SECURITY;
ALTER TABLE work_sums NO FORCE ROW LEVEL SECURITY;
INSERT INTO work_sums (tenant_id, what, span, at, n)
SELECT w.tenant_id, w.what, s.span, s.at, count(*)
FROM (SELECT tenant_id, 'open:' || kind AS what, waiting_since AS moment FROM cases WHERE state = 'open' AND part_of IS NULL
      UNION ALL
      SELECT tenant_id, CASE WHEN outcome = 'proved' THEN 'proved' WHEN closed_by = 'system' THEN 'ruled' ELSE 'decided' END, closed_at FROM cases
      WHERE state = 'done' AND outcome IN ('same', 'not_same', 'new', 'proved')
      UNION ALL
      SELECT tenant_id, CASE actor_kind WHEN 'system' THEN 'auto' ELSE 'manual' END || CASE WHEN undone_at IS NULL THEN '' ELSE '_undone' END, at FROM links
      WHERE kind IN ('attested', 'rotated', 'merged')
      UNION ALL
      SELECT * FROM (SELECT DISTINCT ON (tenant_id, lose_contact) tenant_id, 'joined', at FROM links
                     WHERE kind IN ('attested', 'rotated', 'merged') AND lose_contact IS NOT NULL AND undone_at IS NULL
                     ORDER BY tenant_id, lose_contact, at DESC, id DESC) j) w
CROSS JOIN LATERAL (VALUES ('all', timestamptz 'epoch'), ('day', date_trunc('day', w.moment, 'UTC')),
                           ('quarter', date_bin('15 minutes', w.moment, timestamptz 'epoch'))) s (span, at)
WHERE w.moment IS NOT NULL AND (s.span <> 'all' OR w.what LIKE 'open:%')
GROUP BY w.tenant_id, w.what, s.span, s.at ORDER BY w.tenant_id, w.what, s.span, s.at;
ALTER TABLE cases FORCE ROW LEVEL SECURITY;
ALTER TABLE links FORCE ROW LEVEL SECURITY;
ALTER TABLE work_sums FORCE ROW LEVEL SECURITY;

-- The open cases that somebody has said something about are few, and counted as they stand: whether one is put off hangs on the clock.
DROP INDEX cases_tabs;
CREATE INDEX cases_spoken ON cases (tenant_id) INCLUDE (kind, waiting_since, hold_until, unsure_by, proposed_by)
    WHERE state = 'open' AND part_of IS NULL AND (hold_until IS NOT NULL OR unsure_by <> '{}' OR proposed_by <> '');
-- Whoever goes on to the next case gives back those they have open.
CREATE INDEX cases_leased ON cases (tenant_id, lease_by) WHERE lease_by <> '';
-- The rows behind the figures of a month, and the last decisions.
CREATE INDEX cases_decided ON cases (tenant_id, closed_at, id) INCLUDE (opened_at)
    WHERE state = 'done' AND outcome IN ('same', 'not_same', 'new') AND closed_by <> 'system';
DROP INDEX links_made;
CREATE INDEX links_made ON links (tenant_id, at, id) WHERE kind IN ('attested', 'rotated', 'merged');
CREATE INDEX links_back ON links (tenant_id, at, id) WHERE kind IN ('attested', 'rotated', 'merged') AND undone_at IS NOT NULL;
CREATE INDEX links_joined ON links (tenant_id, at, id) WHERE kind IN ('attested', 'rotated', 'merged') AND lose_contact IS NOT NULL AND undone_at IS NULL;

-- +goose Down
DROP INDEX links_joined, links_back, cases_decided, cases_leased, cases_spoken, links_made;
CREATE INDEX links_made ON links (tenant_id, at) INCLUDE (actor_kind, undone_at, lose_contact) WHERE kind IN ('attested', 'rotated', 'merged');
CREATE INDEX cases_tabs ON cases (tenant_id) INCLUDE (kind, waiting_since, hold_until, unsure_by, proposed_by)
    WHERE state = 'open' AND part_of IS NULL;
DROP TABLE work_sums;
