-- How many privacy requests wait in each business, and how long: counts for the platform's operators, who see nothing else of them.

-- +goose Up
SET LOCAL lock_timeout = '5s';

-- One row a business, written anew with each change of a request. due holds when each open request is due: how many are overdue is a
-- matter of when one looks. asked are those that wait on the public page to be taken over, and count since they were made.
CREATE TABLE privacy_clocks (
    tenant_id  uuid PRIMARY KEY,
    access     integer NOT NULL DEFAULT 0,
    correct    integer NOT NULL DEFAULT 0,
    erase      integer NOT NULL DEFAULT 0,
    object     integer NOT NULL DEFAULT 0,
    grievance  integer NOT NULL DEFAULT 0,
    asked      integer NOT NULL DEFAULT 0,
    due        timestamptz[] NOT NULL DEFAULT '{}',
    oldest_at  timestamptz,
    answered   integer NOT NULL DEFAULT 0,
    in_time    integer NOT NULL DEFAULT 0,
    counted_at timestamptz NOT NULL DEFAULT now()
);

ALTER TABLE privacy_clocks ENABLE ROW LEVEL SECURITY;
ALTER TABLE privacy_clocks FORCE ROW LEVEL SECURITY;
CREATE POLICY directory ON privacy_clocks
    USING (nullif(current_setting('app.tenant_id', true), '') IS NULL OR tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (nullif(current_setting('app.tenant_id', true), '') IS NULL OR tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);

-- What is there already is counted here.
ALTER TABLE privacy_requests NO FORCE ROW LEVEL SECURITY;
ALTER TABLE trust_requests NO FORCE ROW LEVEL SECURITY;
ALTER TABLE privacy_clocks NO FORCE ROW LEVEL SECURITY;
INSERT INTO privacy_clocks (tenant_id, access, correct, erase, object, grievance, asked, due, oldest_at, answered, in_time)
SELECT tenant_id, count(*) FILTER (WHERE kind = 'access' AND waits), count(*) FILTER (WHERE kind = 'correct' AND waits),
       count(*) FILTER (WHERE kind = 'erase' AND waits), count(*) FILTER (WHERE kind = 'object' AND waits),
       count(*) FILTER (WHERE kind = 'grievance' AND waits), count(*) FILTER (WHERE kind = ''),
       coalesce(array_agg(due_at ORDER BY due_at) FILTER (WHERE waits OR kind = ''), '{}'), min(since) FILTER (WHERE waits OR kind = ''),
       count(*) FILTER (WHERE NOT waits), count(*) FILTER (WHERE NOT waits AND closed_at <= due_at)
FROM (SELECT tenant_id, kind, closed_at IS NULL AS waits, due_at, closed_at, opened_at AS since FROM privacy_requests
      UNION ALL
      SELECT tenant_id, '', NULL, made_at + CASE kind WHEN 'grievance' THEN interval '90 days' ELSE interval '30 days' END, NULL, made_at
      FROM trust_requests WHERE done_at IS NULL AND kind IN ('access', 'correct', 'erase', 'stop', 'grievance')) r
GROUP BY tenant_id;
ALTER TABLE privacy_requests FORCE ROW LEVEL SECURITY;
ALTER TABLE trust_requests FORCE ROW LEVEL SECURITY;
ALTER TABLE privacy_clocks FORCE ROW LEVEL SECURITY;

-- +goose Down
DROP TABLE privacy_clocks;
