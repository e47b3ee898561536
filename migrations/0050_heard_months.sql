-- Who was heard from in a month is a sum like those of days and weeks: the page of a month counts nobody.

-- +goose Up
SET LOCAL lock_timeout = '5s';

-- Whether a week that two months share showed a phone in one of them, and in the other, in which the account was heard from too, none.
-- Few rows do; they are what a list of a month could not find by shown, which is the whole week's.
ALTER TABLE heard_weeks ADD COLUMN parted boolean NOT NULL DEFAULT false;
ALTER TABLE adoption_cells DROP CONSTRAINT adoption_cells_kind_check,
    ADD CONSTRAINT adoption_cells_kind_check CHECK (kind IN ('day', 'week', 'month', 'last', 'phone'));

-- What was heard before is counted here. The lock on heard_weeks keeps anybody from adding to it meanwhile; what a program of the version
-- before this one adds later, 'adoption rebuild' counts.
ALTER TABLE heard_weeks NO FORCE ROW LEVEL SECURITY;
ALTER TABLE identities NO FORCE ROW LEVEL SECURITY;
ALTER TABLE adoption_cells NO FORCE ROW LEVEL SECURITY;
UPDATE heard_weeks h SET parted = true
FROM (VALUES (1), (2), (3), (4), (5), (6)) AS k (days)
WHERE h.phoned <> 0 AND date_trunc('month', h.week + 6)::date = h.week + k.days
  AND (h.days & ((1 << k.days) - 1) <> 0 AND h.phoned & ((1 << k.days) - 1) = 0 OR h.days >> k.days <> 0 AND h.phoned >> k.days = 0);
INSERT INTO adoption_cells (tenant_id, kind, place, at, country, shown, n)
SELECT tenant_id, 'month', scope, month AT TIME ZONE 'UTC', '', shown, count(*)
FROM (SELECT h.tenant_id, i.scope, d.month, bool_or(h.bsuid)::int + 2 * bool_or(h.named & d.days <> 0)::int + 4 * bool_or(h.phoned & d.days <> 0)::int AS shown
      FROM (SELECT *, date_trunc('month', week::timestamp) AS first, date_trunc('month', week::timestamp + interval '6 days') AS second FROM heard_weeks) h
      JOIN identities i ON i.tenant_id = h.tenant_id AND i.id = h.identity_id
      CROSS JOIN LATERAL (SELECT CASE WHEN h.first = h.second THEN 7 ELSE h.second::date - h.week END AS days) l
      CROSS JOIN LATERAL (VALUES (h.first, (1 << l.days) - 1), (h.second, 127 - ((1 << l.days) - 1))) d (month, days)
      WHERE h.days & d.days <> 0
      GROUP BY h.tenant_id, i.scope, d.month, h.identity_id) accounts
GROUP BY tenant_id, scope, month, shown;
ALTER TABLE heard_weeks FORCE ROW LEVEL SECURITY;
ALTER TABLE identities FORCE ROW LEVEL SECURITY;
ALTER TABLE adoption_cells FORCE ROW LEVEL SECURITY;
CREATE INDEX heard_weeks_parted ON heard_weeks (tenant_id, week, identity_id DESC) WHERE parted;

-- +goose Down
DROP INDEX heard_weeks_parted;
DELETE FROM adoption_cells WHERE kind = 'month';
ALTER TABLE adoption_cells DROP CONSTRAINT adoption_cells_kind_check,
    ADD CONSTRAINT adoption_cells_kind_check CHECK (kind IN ('day', 'week', 'last', 'phone'));
ALTER TABLE heard_weeks DROP COLUMN parted;
