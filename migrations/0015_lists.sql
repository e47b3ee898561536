-- Cases that a list of the business's own closes, and imports that somebody stops.

-- +goose Up
SET LOCAL lock_timeout = '2s';
ALTER TABLE cases DROP CONSTRAINT cases_outcome_check;
ALTER TABLE cases ADD CONSTRAINT cases_outcome_check CHECK (outcome IN ('', 'same', 'not_same', 'new', 'proved', 'listed', 'merged', 'gone'));

-- stopped: somebody stopped it while it was being taken in.
ALTER TABLE imports DROP CONSTRAINT imports_state_check;
ALTER TABLE imports ADD CONSTRAINT imports_state_check
    CHECK (state IN ('mapping', 'checking', 'checked', 'running', 'stopped', 'done', 'undoing', 'undone', 'failed'));

-- +goose Down
UPDATE imports SET state = 'failed' WHERE state = 'stopped';
ALTER TABLE imports DROP CONSTRAINT imports_state_check;
ALTER TABLE imports ADD CONSTRAINT imports_state_check
    CHECK (state IN ('mapping', 'checking', 'checked', 'running', 'done', 'undoing', 'undone', 'failed'));
UPDATE cases SET outcome = 'gone' WHERE outcome = 'listed';
ALTER TABLE cases DROP CONSTRAINT cases_outcome_check;
ALTER TABLE cases ADD CONSTRAINT cases_outcome_check CHECK (outcome IN ('', 'same', 'not_same', 'new', 'proved', 'merged', 'gone'));
