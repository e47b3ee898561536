-- What the platform's operators work with: limits and notes of businesses, what each used, and what is announced to them.

-- +goose Up
SET LOCAL lock_timeout = '5s';

-- plan is a name, no more; the limits beside it are what is kept to.
ALTER TABLE tenants
    ADD COLUMN plan text NOT NULL DEFAULT '' CHECK (length(plan) <= 60),
    ADD COLUMN api_per_minute integer NOT NULL DEFAULT 6000 CHECK (api_per_minute BETWEEN 1 AND 60000),
    ADD COLUMN most_people integer NOT NULL DEFAULT 500 CHECK (most_people BETWEEN 1 AND 5000);

-- Why sending or asking Meta does not work with a number, as its own row says: so that operators see it without seeing the number.
ALTER TABLE number_directory ADD COLUMN token_problem text NOT NULL DEFAULT '';

CREATE TABLE operator_notes (
    tenant_id uuid NOT NULL REFERENCES tenants,
    id        uuid NOT NULL,
    text      text NOT NULL CHECK (length(text) BETWEEN 1 AND 2000),
    by_name   text NOT NULL,
    at        timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id)
);

-- What a business used in a month (UTC): messages that customers wrote, messages that Meta took, and requests to the API.
CREATE TABLE usage_months (
    tenant_id uuid NOT NULL,
    month     date NOT NULL,
    heard     bigint NOT NULL DEFAULT 0,
    sent      bigint NOT NULL DEFAULT 0,
    api       bigint NOT NULL DEFAULT 0,
    contacts  bigint NOT NULL DEFAULT 0,
    counted_at timestamptz,
    PRIMARY KEY (tenant_id, month)
) WITH (fillfactor = 70);
CREATE INDEX usage_months_month ON usage_months (month);

CREATE TABLE announcements (
    id       uuid PRIMARY KEY,
    en       text NOT NULL CHECK (length(en) BETWEEN 1 AND 1000),
    hi       text NOT NULL CHECK (length(hi) BETWEEN 1 AND 1000),
    audience text NOT NULL CHECK (audience IN ('everybody', 'owners')),
    by_name  text NOT NULL,
    at       timestamptz NOT NULL DEFAULT now(),
    ends_at  timestamptz NOT NULL
);

-- Who of a business has put which away.
CREATE TABLE announcements_read (
    tenant_id       uuid NOT NULL REFERENCES tenants,
    person_id       uuid NOT NULL,
    announcement_id uuid NOT NULL,
    at              timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, person_id, announcement_id)
);

-- +goose StatementBegin
DO $$
DECLARE
    own constant text := 'tenant_id = nullif(current_setting(''app.tenant_id'', true), '''')::uuid';
    sys constant text := 'nullif(current_setting(''app.tenant_id'', true), '''') IS NULL';
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['operator_notes', 'usage_months', 'announcements', 'announcements_read'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
    END LOOP;
    EXECUTE format('CREATE POLICY system_only ON operator_notes USING (%s) WITH CHECK (%s)', sys, sys);
    EXECUTE format('CREATE POLICY directory ON usage_months USING (%s OR %s) WITH CHECK (%s OR %s)', sys, own, sys, own);
    EXECUTE format('CREATE POLICY everybody ON announcements USING (true) WITH CHECK (%s)', sys);
    EXECUTE format('CREATE POLICY tenant ON announcements_read USING (%s) WITH CHECK (%s)', own, own);
END
$$;
-- +goose StatementEnd

-- +goose Down
DROP TABLE announcements_read, announcements, usage_months, operator_notes;
ALTER TABLE number_directory DROP COLUMN token_problem;
ALTER TABLE tenants DROP COLUMN most_people, DROP COLUMN api_per_minute, DROP COLUMN plan;
