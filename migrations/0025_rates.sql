-- +goose Up
SET LOCAL lock_timeout = '2s';

-- How many items came in each of the last 60 minutes and the last 192 hours, by number (the nil number is none in particular). A slot
-- is used again when its time has come round, so nothing has to be cleared away.
CREATE TABLE inbox_rates (
    tenant_id uuid NOT NULL,
    number_id uuid NOT NULL,
    unit      text NOT NULL CHECK (unit IN ('minute', 'hour')),
    slot      smallint NOT NULL,
    at        timestamptz NOT NULL,
    items     bigint NOT NULL,
    PRIMARY KEY (tenant_id, number_id, unit, slot)
) WITH (fillfactor = 70);

-- Which webhook fields have come for a number, and when last.
CREATE TABLE inbox_fields (
    tenant_id uuid NOT NULL,
    number_id uuid NOT NULL,
    field     text NOT NULL,
    first_at  timestamptz NOT NULL,
    last_at   timestamptz NOT NULL,
    items     bigint NOT NULL,
    PRIMARY KEY (tenant_id, number_id, field)
) WITH (fillfactor = 70);

-- How many deliveries of an app had a signature that was missing or wrong, by hour of the last two days.
CREATE TABLE app_refusals (
    app_id  uuid NOT NULL REFERENCES apps,
    slot    smallint NOT NULL,
    at      timestamptz NOT NULL,
    refused bigint NOT NULL,
    PRIMARY KEY (app_id, slot)
);

-- Since when a number has been silent that usually is not; NULL while it is not.
ALTER TABLE numbers ADD COLUMN quiet_since timestamptz;

-- +goose StatementBegin
DO $$
DECLARE
    own constant text := 'tenant_id = nullif(current_setting(''app.tenant_id'', true), '''')::uuid';
    sys constant text := 'nullif(current_setting(''app.tenant_id'', true), '''') IS NULL';
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['inbox_rates', 'inbox_fields', 'app_refusals'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
    END LOOP;
    FOREACH t IN ARRAY ARRAY['inbox_rates', 'inbox_fields'] LOOP
        EXECUTE format('CREATE POLICY directory ON %I USING (%s OR %s) WITH CHECK (%s OR %s)', t, sys, own, sys, own);
    END LOOP;
    EXECUTE format('CREATE POLICY system_only ON app_refusals USING (%s) WITH CHECK (%s)', sys, sys);
END
$$;
-- +goose StatementEnd

-- Numbers that are connected already are listened to within an hour, not all at once.
INSERT INTO jobs (id, tenant_id, kind, args, run_at)
SELECT md5('number_silence ' || number_id)::uuid, tenant_id, 'number_silence', jsonb_build_object('number_id', number_id),
       now() + random() * interval '1 hour'
FROM number_directory WHERE until IS NULL;

-- +goose Down
DELETE FROM jobs WHERE kind = 'number_silence';
ALTER TABLE numbers DROP COLUMN quiet_since;
DROP TABLE app_refusals, inbox_fields, inbox_rates;
