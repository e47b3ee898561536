-- Lists of customers that a business uploads: the rows as they came, what became of each, and what is needed to take it back.

-- +goose Up
SET LOCAL lock_timeout = '2s';

-- When a list first named the identifier; NULL where none does. One that WhatsApp has not shown yet has a last_seen before its
-- first_seen, so that its first sight is exact whenever it comes.
ALTER TABLE identifiers ADD COLUMN claimed_at timestamptz;

-- Which kinds of hint there are is the program's to know: each source of them brings its own.
ALTER TABLE hints DROP CONSTRAINT IF EXISTS hints_kind_check;
ALTER TABLE hints ADD CONSTRAINT hints_kind_shape CHECK (kind ~ '^[a-z_]{1,40}$');

-- at_row is how far the present step has come. scope is where its identifiers belong (identifiers.scope).
CREATE TABLE imports (
    tenant_id  uuid NOT NULL REFERENCES tenants,
    id         uuid NOT NULL,
    file_name  text NOT NULL CHECK (length(file_name) <= 200),
    state      text NOT NULL CHECK (state IN ('mapping', 'checking', 'checked', 'running', 'done', 'undoing', 'undone', 'failed')),
    rows       integer NOT NULL,
    widest     integer NOT NULL,
    mapping    jsonb NOT NULL DEFAULT '{}',
    scope      text NOT NULL DEFAULT '',
    at_row     integer NOT NULL DEFAULT 0,
    n_new      integer NOT NULL DEFAULT 0,
    n_changed  integer NOT NULL DEFAULT 0,
    n_same     integer NOT NULL DEFAULT 0,
    n_conflict integer NOT NULL DEFAULT 0,
    n_skipped  integer NOT NULL DEFAULT 0,
    n_undone   integer NOT NULL DEFAULT 0,
    n_kept     integer NOT NULL DEFAULT 0,
    job_id     uuid,
    actor_kind text NOT NULL,
    actor_id   text NOT NULL DEFAULT '',
    actor_name text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    ended_at   timestamptz,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX imports_recent ON imports (tenant_id, created_at DESC, id DESC);

-- cells is the row as a JSON array of strings; effect what the import changed, as JSON. contact_id has no foreign key: a row
-- outlives the contact it made when that is taken back.
CREATE TABLE import_rows (
    tenant_id  uuid NOT NULL,
    import_id  uuid NOT NULL,
    row        integer NOT NULL,
    cells      text NOT NULL,
    phone      text NOT NULL DEFAULT '',
    bsuid      text NOT NULL DEFAULT '',
    external   text NOT NULL DEFAULT '',
    outcome    text NOT NULL DEFAULT '' CHECK (outcome IN ('', 'new', 'changed', 'same', 'conflict', 'skipped')),
    reason     text NOT NULL DEFAULT '',
    other_row  integer,
    contact_id uuid,
    made       boolean NOT NULL DEFAULT false,
    effect     text NOT NULL DEFAULT '',
    PRIMARY KEY (tenant_id, import_id, row),
    FOREIGN KEY (tenant_id, import_id) REFERENCES imports
) WITH (fillfactor = 60);
CREATE INDEX import_rows_phone ON import_rows (tenant_id, phone, import_id, row) WHERE phone <> '';
CREATE INDEX import_rows_bsuid ON import_rows (tenant_id, bsuid, import_id, row) WHERE bsuid <> '';
CREATE INDEX import_rows_external ON import_rows (tenant_id, external, import_id, row) WHERE external <> '';
CREATE INDEX import_rows_contact ON import_rows (tenant_id, contact_id, import_id, row) WHERE contact_id IS NOT NULL;
CREATE INDEX import_rows_reason ON import_rows (tenant_id, import_id, row) WHERE reason <> '';

-- +goose StatementBegin
DO $$
DECLARE
    own constant text := 'tenant_id = nullif(current_setting(''app.tenant_id'', true), '''')::uuid';
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['imports', 'import_rows'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY tenant ON %I USING (%s) WITH CHECK (%s)', t, own, own);
    END LOOP;
END
$$;
-- +goose StatementEnd

-- +goose Down
DROP TABLE import_rows, imports;
ALTER TABLE identifiers DROP COLUMN claimed_at;
DELETE FROM hints WHERE kind NOT IN ('card_request', 'card_other', 'typed_number', 'rotation_prose');
ALTER TABLE hints DROP CONSTRAINT hints_kind_shape;
ALTER TABLE hints ADD CONSTRAINT hints_kind_check CHECK (kind IN ('card_request', 'card_other', 'typed_number', 'rotation_prose'));
