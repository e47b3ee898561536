-- A tenant uses the platform's apps but owns none of them: its transactions read those rows and change only its own.

-- +goose Up
SET LOCAL lock_timeout = '2s';

ALTER POLICY directory ON apps
    USING (nullif(current_setting('app.tenant_id', true), '') IS NULL OR tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY platform ON apps FOR SELECT USING (tenant_id IS NULL);

-- +goose Down
DROP POLICY platform ON apps;
ALTER POLICY directory ON apps
    USING (nullif(current_setting('app.tenant_id', true), '') IS NULL OR tenant_id IS NULL
           OR tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
