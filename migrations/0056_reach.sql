-- How each contact can be reached, and how many can in each way: the page of reach counts no contacts, and its lists read only their own.

-- +goose Up
SET LOCAL lock_timeout = '5s';

CREATE TABLE contact_reach (
    tenant_id  uuid NOT NULL,
    contact_id uuid NOT NULL,
    reach      text COLLATE "C" NOT NULL CHECK (reach IN ('both', 'id', 'phone', 'neither')),
    PRIMARY KEY (tenant_id, contact_id)
);
CREATE INDEX contact_reach_list ON contact_reach (tenant_id, reach, contact_id);
ALTER TABLE contact_reach ENABLE ROW LEVEL SECURITY;
ALTER TABLE contact_reach FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON contact_reach USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);

CREATE TABLE reach_sums (
    tenant_id uuid NOT NULL,
    reach     text COLLATE "C" NOT NULL,
    n         bigint NOT NULL,
    PRIMARY KEY (tenant_id, reach)
) WITH (fillfactor = 50);
ALTER TABLE reach_sums ENABLE ROW LEVEL SECURITY;
ALTER TABLE reach_sums FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON reach_sums USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);

-- What there is already is counted here; what a program of the version before this one adds later, 'adoption rebuild' counts.
ALTER TABLE contacts NO FORCE ROW LEVEL SECURITY;
ALTER TABLE contact_words NO FORCE ROW LEVEL SECURITY;
ALTER TABLE contact_reach NO FORCE ROW LEVEL SECURITY;
ALTER TABLE reach_sums NO FORCE ROW LEVEL SECURITY;
INSERT INTO contact_reach (tenant_id, contact_id, reach)
SELECT c.tenant_id, c.id, CASE WHEN h.bsuid AND h.phone THEN 'both' WHEN h.bsuid THEN 'id' WHEN h.phone THEN 'phone' ELSE 'neither' END
FROM contacts c
LEFT JOIN (SELECT tenant_id, contact_id, bool_or(word < 'c') AS bsuid, bool_or(word > 'c') AS phone FROM contact_words
           WHERE word >= 'b:' AND word < 'b;' OR word >= 'p:' AND word < 'p;' GROUP BY tenant_id, contact_id) h
       ON h.tenant_id = c.tenant_id AND h.contact_id = c.id
WHERE c.merged_into IS NULL;
INSERT INTO reach_sums (tenant_id, reach, n) SELECT tenant_id, reach, count(*) FROM contact_reach GROUP BY tenant_id, reach;
ALTER TABLE contacts FORCE ROW LEVEL SECURITY;
ALTER TABLE contact_words FORCE ROW LEVEL SECURITY;
ALTER TABLE contact_reach FORCE ROW LEVEL SECURITY;
ALTER TABLE reach_sums FORCE ROW LEVEL SECURITY;

-- +goose Down
DROP TABLE reach_sums, contact_reach;
