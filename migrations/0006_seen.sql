-- When an identifier was last seen with its identity is told by what is stored of each event (a run, a sighting), so that an
-- event which says nothing new need not also write the tenure's row and the identifier's.

-- +goose Up
SET LOCAL lock_timeout = '2s';

-- The first and last time a tenure's identifier was seen with its identity. The tenure's own row is as old as its last
-- derivation; where nobody else ever held the identifier, what came since counts too.
CREATE FUNCTION seen(t tenures, OUT first_at timestamptz, OUT last_at timestamptz) LANGUAGE sql STABLE AS $$
    SELECT least(t.first_seen, min(x.first_at)), greatest(t.last_seen, max(x.last_at))
    FROM (
        SELECT d.first_seen AS first_at, d.last_seen AS last_at FROM identifiers d WHERE d.tenant_id = t.tenant_id AND d.id = t.identifier_id
        UNION ALL
        SELECT p.first_at, p.last_at FROM pairings p WHERE p.tenant_id = t.tenant_id AND p.bsuid_id = t.identifier_id
        UNION ALL
        SELECT p.first_at, p.last_at FROM pairings p
        JOIN tenures o ON o.tenant_id = t.tenant_id AND o.identifier_id = p.bsuid_id AND o.identity_id = t.identity_id
        WHERE p.tenant_id = t.tenant_id AND p.other_id = t.identifier_id
        UNION ALL
        SELECT min(s.at), max(s.at) FROM sightings s WHERE s.tenant_id = t.tenant_id AND s.identifier_id = t.identifier_id
    ) x
    WHERE t.from_at IS NULL AND t.to_at IS NULL
$$;

-- Checking the tenure of each message locks the tenure's row: one more random page written for every message. Tenures come
-- from the transaction that stores the message, under the tenant's lock, and who drops one makes sure that nothing hangs on it.
ALTER TABLE messages DROP CONSTRAINT messages_tenant_id_tenure_id_fkey;
ALTER TABLE statuses DROP CONSTRAINT statuses_tenant_id_tenure_id_fkey;

-- +goose Down
ALTER TABLE statuses ADD FOREIGN KEY (tenant_id, tenure_id) REFERENCES tenures;
ALTER TABLE messages ADD FOREIGN KEY (tenant_id, tenure_id) REFERENCES tenures;
DROP FUNCTION seen(tenures);
