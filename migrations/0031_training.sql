-- How ready a team is: what each person has read, answered and practised, and on which state of the fact ledger; pages handed out with a
-- business's own figures; and what was passed on to somebody above.

-- +goose Up
SET LOCAL lock_timeout = '5s';

-- seq is the end of the fact ledger at that moment: what became visible later has not been read.
CREATE TABLE lesson_reads (
    tenant_id uuid NOT NULL REFERENCES tenants,
    person_id uuid NOT NULL,
    lesson    text NOT NULL,
    seq       bigint NOT NULL,
    at        timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, person_id, lesson)
);

-- One try at a quiz: the questions as drawn, and when it is finished the answers, in the same order.
CREATE TABLE quizzes (
    tenant_id   uuid NOT NULL REFERENCES tenants,
    id          uuid NOT NULL,
    person_id   uuid NOT NULL,
    kind        text NOT NULL CHECK (kind IN ('quiz', 'refresher')),
    form        text NOT NULL CHECK (form IN ('A', 'B', 'C')),
    seed        bigint NOT NULL,
    seq         bigint NOT NULL,
    items       text[] NOT NULL,
    started_at  timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    lang        text CHECK (lang IN ('en', 'hi')),
    answers     text[],
    correct     boolean[],
    score       smallint,
    gates       text[] NOT NULL DEFAULT '{}',
    passed      boolean NOT NULL DEFAULT false,
    PRIMARY KEY (tenant_id, id),
    CHECK ((finished_at IS NULL) = (answers IS NULL) AND (finished_at IS NULL) = (score IS NULL) AND (finished_at IS NULL) = (lang IS NULL))
);
CREATE UNIQUE INDEX quizzes_open ON quizzes (tenant_id, person_id, kind) WHERE finished_at IS NULL;
CREATE INDEX quizzes_done ON quizzes (tenant_id, person_id, finished_at) WHERE finished_at IS NOT NULL;

-- What was answered, counted for each question, language and answer, with the scores of whoever gave it: enough to tell how hard a
-- question is and whether it tells the ready from the others. No person is in it.
CREATE TABLE answer_counts (
    tenant_id uuid NOT NULL,
    item      text NOT NULL,
    lang      text NOT NULL CHECK (lang IN ('en', 'hi')),
    answer    text NOT NULL,
    correct   boolean NOT NULL,
    n         bigint NOT NULL,
    score     bigint NOT NULL,
    squared   bigint NOT NULL,
    PRIMARY KEY (tenant_id, item, lang, answer)
);

-- One try at a practice chat, and each answer given in it.
CREATE TABLE drill_tries (
    tenant_id   uuid NOT NULL REFERENCES tenants,
    id          uuid NOT NULL,
    person_id   uuid NOT NULL,
    drill       text NOT NULL,
    variant     smallint NOT NULL,
    seq         bigint NOT NULL,
    step        text NOT NULL,
    shown_at    timestamptz NOT NULL DEFAULT now(),
    started_at  timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    level       text NOT NULL DEFAULT '',
    gates       text[] NOT NULL DEFAULT '{}',
    passed      boolean NOT NULL DEFAULT false,
    PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX drill_tries_open ON drill_tries (tenant_id, person_id, drill) WHERE finished_at IS NULL;
CREATE INDEX drill_tries_done ON drill_tries (tenant_id, person_id, drill, finished_at) WHERE finished_at IS NOT NULL;

CREATE TABLE drill_answers (
    tenant_id uuid NOT NULL,
    try_id    uuid NOT NULL,
    position  smallint NOT NULL,
    step      text NOT NULL,
    answer    text NOT NULL,
    passed    boolean NOT NULL,
    seconds   integer NOT NULL,
    PRIMARY KEY (tenant_id, try_id, position),
    FOREIGN KEY (tenant_id, try_id) REFERENCES drill_tries
);

-- Whom a lead reminded by mail, at most once on a day of the business.
CREATE TABLE nudges (
    tenant_id uuid NOT NULL REFERENCES tenants,
    person_id uuid NOT NULL,
    day       date NOT NULL,
    by_name   text NOT NULL,
    at        timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, person_id, day)
);

-- A page for a team, with the business's figures as they were when it was made. Its link is kept as a hash.
CREATE TABLE briefings (
    tenant_id  uuid NOT NULL REFERENCES tenants,
    id         uuid NOT NULL,
    audience   text NOT NULL CHECK (audience IN ('owner', 'support', 'marketing', 'developer')),
    lang       text NOT NULL CHECK (lang IN ('en', 'hi')),
    figures    jsonb NOT NULL,
    hash       bytea NOT NULL,
    opens      integer NOT NULL DEFAULT 0,
    by_person  uuid NOT NULL,
    by_name    text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX briefings_hash ON briefings (hash);

CREATE TABLE briefing_opens (
    tenant_id   uuid NOT NULL,
    id          uuid NOT NULL,
    briefing_id uuid NOT NULL,
    reader      text NOT NULL,
    at          timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, briefing_id) REFERENCES briefings
);
CREATE INDEX briefing_opens_of ON briefing_opens (tenant_id, briefing_id, at);

-- What was passed on to somebody above, whose it is, and until when.
CREATE TABLE escalations (
    tenant_id  uuid NOT NULL REFERENCES tenants,
    id         uuid NOT NULL,
    kind       text NOT NULL CHECK (kind IN ('impersonation', 'wrong_link', 'data_request', 'angry', 'refund', 'press', 'other')),
    level      text NOT NULL CHECK (level IN ('L1', 'L2', 'L3')),
    contact_id uuid,
    reason     text NOT NULL,
    opened_by  uuid NOT NULL,
    opener     text NOT NULL,
    opened_at  timestamptz NOT NULL DEFAULT now(),
    owner_id   uuid,
    owner_name text NOT NULL DEFAULT '',
    due_at     timestamptz NOT NULL,
    outcome    text NOT NULL DEFAULT '',
    lesson     text NOT NULL DEFAULT '',
    closed_by  text NOT NULL DEFAULT '',
    closed_at  timestamptz,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX escalations_open ON escalations (tenant_id, due_at) WHERE closed_at IS NULL;
CREATE INDEX escalations_closed ON escalations (tenant_id, closed_at) WHERE closed_at IS NOT NULL;

-- +goose StatementBegin
DO $$
DECLARE
    own constant text := 'tenant_id = nullif(current_setting(''app.tenant_id'', true), '''')::uuid';
    sys constant text := 'nullif(current_setting(''app.tenant_id'', true), '''') IS NULL';
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['lesson_reads', 'quizzes', 'drill_tries', 'drill_answers', 'nudges', 'briefing_opens', 'escalations'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY tenant ON %I USING (%s) WITH CHECK (%s)', t, own, own);
    END LOOP;
    -- Whoever comes by a link is in no tenant yet; and how questions do is counted over all businesses.
    FOREACH t IN ARRAY ARRAY['briefings', 'answer_counts'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY directory ON %I USING (%s OR %s) WITH CHECK (%s OR %s)', t, sys, own, sys, own);
    END LOOP;
END
$$;
-- +goose StatementEnd

-- +goose Down
DROP TABLE escalations, briefing_opens, briefings, nudges, drill_answers, drill_tries, answer_counts, quizzes, lesson_reads;
