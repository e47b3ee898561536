-- Taking a list back removes rows that nothing names any more. PostgreSQL looks up each foreign key that leads to a row before it
-- goes, so each of them needs an index. Dividing a tenure looks its statuses up by the same one.

-- +goose Up
SET LOCAL lock_timeout = '2s';

CREATE INDEX statuses_tenure ON statuses (tenant_id, tenure_id) WHERE tenure_id IS NOT NULL;
CREATE INDEX links_identity ON links (tenant_id, identity_id) WHERE identity_id IS NOT NULL;
CREATE INDEX link_moves_contact ON link_moves (tenant_id, from_contact);
CREATE INDEX rotations_old_parent ON rotations (tenant_id, old_parent) WHERE old_parent IS NOT NULL;
CREATE INDEX rotations_new_parent ON rotations (tenant_id, new_parent) WHERE new_parent IS NOT NULL;

-- Decisions that were taken back have foreign keys too.
DROP INDEX decisions_a, decisions_b;
CREATE INDEX decisions_a ON decisions (tenant_id, a_id);
CREATE INDEX decisions_b ON decisions (tenant_id, b_id) WHERE b_id IS NOT NULL;

-- +goose Down
DROP INDEX statuses_tenure, links_identity, link_moves_contact, rotations_old_parent, rotations_new_parent, decisions_a, decisions_b;
CREATE INDEX decisions_a ON decisions (tenant_id, a_id) WHERE revoked_at IS NULL;
CREATE INDEX decisions_b ON decisions (tenant_id, b_id) WHERE revoked_at IS NULL;
