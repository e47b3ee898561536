-- +goose Up
SET LOCAL lock_timeout = '2s';

-- When whoever is signed in last proved who they are: by signing in, or since then for what asks for it again.
ALTER TABLE sessions ADD COLUMN proved_at timestamptz;
UPDATE sessions SET proved_at = created_at;
ALTER TABLE sessions ALTER COLUMN proved_at SET DEFAULT now(), ALTER COLUMN proved_at SET NOT NULL;

-- +goose Down
ALTER TABLE sessions DROP COLUMN proved_at;
