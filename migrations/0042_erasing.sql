-- What erasing somebody and who-saw-whom need beside what there is.

-- +goose Up
SET LOCAL lock_timeout = '2s';

-- Erasing holds the tenant's lock while it removes a person, and so must find all of theirs by an index.
CREATE INDEX cases_proposed ON cases (tenant_id, proposed_contact) WHERE proposed_contact IS NOT NULL;
CREATE INDEX escalations_contact ON escalations (tenant_id, contact_id) WHERE contact_id IS NOT NULL;
CREATE INDEX bulk_items_contact ON bulk_items (tenant_id, contact_id) WHERE contact_id IS NOT NULL;
CREATE INDEX link_codes_used ON link_codes (tenant_id, used_by) WHERE used_by IS NOT NULL;

-- A program that asks by a key sees a contact too.
ALTER TABLE contact_views DROP CONSTRAINT contact_views_how_check;
ALTER TABLE contact_views ADD CONSTRAINT contact_views_how_check CHECK (how IN ('page', 'talk', 'reveal', 'export', 'handed', 'program'));

-- +goose Down
DELETE FROM contact_views WHERE how = 'program';
ALTER TABLE contact_views DROP CONSTRAINT contact_views_how_check;
ALTER TABLE contact_views ADD CONSTRAINT contact_views_how_check CHECK (how IN ('page', 'talk', 'reveal', 'export', 'handed'));
DROP INDEX cases_proposed, escalations_contact, bulk_items_contact, link_codes_used;
