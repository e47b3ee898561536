-- Numbers for which no customer's phone is kept.

-- +goose Up
SET LOCAL lock_timeout = '2s';

-- phone_free: from here on phones are taken out of what comes. phone_free_since: it was so at some time, so identifiers of its scope may
-- be tokens. phone_cleaning: how far what was stored before has been cleaned; NULL where that is done or was never due.
ALTER TABLE numbers ADD COLUMN phone_free boolean NOT NULL DEFAULT false, ADD COLUMN phone_free_since timestamptz, ADD COLUMN phone_cleaning jsonb;

-- The same for whoever knows no tenant yet; it outlives the number's connection.
ALTER TABLE number_directory ADD COLUMN phone_free boolean NOT NULL DEFAULT false;
CREATE INDEX number_directory_phone_free ON number_directory (phone_number_id) WHERE phone_free;

-- The bytes are encrypted: a delivery for the platform, an item for its tenant.
ALTER TABLE inbox_events ADD COLUMN sealed boolean NOT NULL DEFAULT false;
ALTER TABLE inbox_items ADD COLUMN sealed boolean NOT NULL DEFAULT false;

-- A phone is its digits, or a token that is the same for the same phone and tells nothing of it. What there is meets the wider rule as
-- it met the narrow one, so it need not be read again.
ALTER TABLE identifiers DROP CONSTRAINT identifiers_check;
ALTER TABLE identifiers ADD CONSTRAINT identifiers_phone CHECK (kind <> 'phone' OR value ~ '^([0-9]{4,15}|p:[a-z2-7]{26})$') NOT VALID;
ALTER TABLE shared_phones DROP CONSTRAINT shared_phones_phone_check;
ALTER TABLE shared_phones ADD CONSTRAINT shared_phones_phone CHECK (phone ~ '^([0-9]{4,15}|p:[a-z2-7]{26})$') NOT VALID;

-- +goose Down
ALTER TABLE shared_phones DROP CONSTRAINT shared_phones_phone;
ALTER TABLE shared_phones ADD CONSTRAINT shared_phones_phone_check CHECK (phone ~ '^[0-9]{4,15}$') NOT VALID;
ALTER TABLE identifiers DROP CONSTRAINT identifiers_phone;
ALTER TABLE identifiers ADD CONSTRAINT identifiers_check CHECK (kind <> 'phone' OR value ~ '^[0-9]{4,15}$') NOT VALID;
ALTER TABLE inbox_items DROP COLUMN sealed;
ALTER TABLE inbox_events DROP COLUMN sealed;
ALTER TABLE number_directory DROP COLUMN phone_free;
ALTER TABLE numbers DROP COLUMN phone_free, DROP COLUMN phone_free_since, DROP COLUMN phone_cleaning;
