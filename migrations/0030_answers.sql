-- Ready answers: what a business says in place of the built-in cards, who checked it, how it is used, and what customers ask.

-- +goose Up
SET LOCAL lock_timeout = '2s';

-- A version of an answer as a business wrote it, over a built-in one or its own. None is ever changed. removed: from here on the
-- built-in one counts again, or the business's own is no more.
CREATE TABLE answer_versions (
    tenant_id   uuid NOT NULL REFERENCES tenants,
    card        text NOT NULL CHECK (card ~ '^[a-z0-9_-]{2,60}$'),
    version     integer NOT NULL CHECK (version > 0),
    removed     boolean NOT NULL DEFAULT false,
    audience    text NOT NULL CHECK (audience IN ('customers', 'team', 'business')),
    country     text NOT NULL DEFAULT '' CHECK (country = '' OR country ~ '^[A-Z]{2}$'),
    question_en text NOT NULL,
    question_hi text NOT NULL,
    short_en    text NOT NULL,
    short_hi    text NOT NULL,
    long_en     text NOT NULL,
    long_hi     text NOT NULL,
    never_en    text NOT NULL,
    never_hi    text NOT NULL,
    source      text NOT NULL,
    asks        text NOT NULL DEFAULT '',
    by_person   text NOT NULL,
    by_name     text NOT NULL,
    at          timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, card, version)
);

-- Somebody looked at an answer and its sources and stands by it; version 0 is the built-in one.
CREATE TABLE answer_checks (
    tenant_id uuid NOT NULL REFERENCES tenants,
    id        uuid NOT NULL,
    card      text NOT NULL,
    version   integer NOT NULL,
    by_person text NOT NULL,
    by_name   text NOT NULL,
    at        timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX answer_checks_card ON answer_checks (tenant_id, card, at);

-- What a person last said of an answer.
CREATE TABLE answer_votes (
    tenant_id uuid NOT NULL REFERENCES tenants,
    card      text NOT NULL,
    person_id uuid NOT NULL,
    helpful   boolean NOT NULL,
    at        timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, card, person_id)
);

-- How often an answer was copied or shared, and a macro sent, on a day.
CREATE TABLE answer_uses (
    tenant_id uuid NOT NULL REFERENCES tenants,
    kind      text NOT NULL CHECK (kind IN ('card', 'macro')),
    key       text NOT NULL,
    day       date NOT NULL,
    n         integer NOT NULL CHECK (n > 0),
    PRIMARY KEY (tenant_id, kind, key, day)
);

-- What customers ask, without who asked: names, numbers and addresses are taken out before it is stored. card: the answer that a person
-- said it has.
CREATE TABLE asked_questions (
    tenant_id uuid NOT NULL REFERENCES tenants,
    id        uuid NOT NULL,
    text      text NOT NULL CHECK (length(text) BETWEEN 1 AND 400),
    origin    text NOT NULL CHECK (origin IN ('contact', 'search')),
    card      text NOT NULL DEFAULT '',
    by_person text NOT NULL,
    by_name   text NOT NULL,
    at        timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX asked_questions_at ON asked_questions (tenant_id, at DESC);

-- +goose StatementBegin
DO $$
DECLARE
    own constant text := 'tenant_id = nullif(current_setting(''app.tenant_id'', true), '''')::uuid';
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['answer_versions', 'answer_checks', 'answer_votes', 'answer_uses', 'asked_questions'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY tenant ON %I USING (%s) WITH CHECK (%s)', t, own, own);
    END LOOP;
END
$$;
-- +goose StatementEnd

-- +goose Down
DROP TABLE asked_questions, answer_uses, answer_votes, answer_checks, answer_versions;
