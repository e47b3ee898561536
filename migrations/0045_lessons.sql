-- +goose Up
SET LOCAL lock_timeout = '2s';

-- What somebody of the team learnt about a question, for a card to come of it. As in the question, whatever would tell who asked is taken
-- out before it is stored.
ALTER TABLE asked_questions
    ADD COLUMN lesson text NOT NULL DEFAULT '' CHECK (length(lesson) <= 1000),
    DROP CONSTRAINT asked_questions_origin_check,
    ADD CONSTRAINT asked_questions_origin_check CHECK (origin IN ('contact', 'search', 'escalation'));

-- +goose Down
UPDATE asked_questions SET origin = 'search' WHERE origin = 'escalation';
ALTER TABLE asked_questions
    DROP COLUMN lesson,
    DROP CONSTRAINT asked_questions_origin_check,
    ADD CONSTRAINT asked_questions_origin_check CHECK (origin IN ('contact', 'search'));
