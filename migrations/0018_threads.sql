-- What the inbox walks: when something was last said, who waits for an answer, and what nobody has read. Messages hang on tenures, so
-- these do too: a merge of contacts, and its undo, change none of them.

-- +goose Up
SET LOCAL lock_timeout = '2s';

-- One identifier's side of a conversation with one of the business's numbers. place is the minute of the last message: a list is in
-- order by it, and only it is indexed, so that a burst of messages moves no index entry. asked_at, answered_at: when they last wrote what
-- wants an answer, and when the business last answered; done_at: somebody said that no answer is needed. waiting_since is set while
-- the first is the latest.
CREATE TABLE thread_tips (
    tenant_id     uuid NOT NULL,
    tenure_id     uuid NOT NULL,
    number_id     uuid NOT NULL,
    place         timestamptz NOT NULL,
    asked_at      timestamptz,
    answered_at   timestamptz,
    done_at       timestamptz,
    waiting_since timestamptz,
    unread        boolean NOT NULL DEFAULT false,
    PRIMARY KEY (tenant_id, tenure_id, number_id),
    FOREIGN KEY (tenant_id, tenure_id) REFERENCES tenures ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, number_id) REFERENCES numbers
) WITH (fillfactor = 80);

-- What was said before, as it would have been noted: nobody has asked whether it was read, so it counts as read.
ALTER TABLE messages NO FORCE ROW LEVEL SECURITY;
INSERT INTO thread_tips (tenant_id, tenure_id, number_id, place, asked_at, answered_at, waiting_since)
SELECT w.tenant_id, w.tenure_id, w.number_id, w.place, w.asked_at, w.answered_at,
       CASE WHEN w.asked_at > coalesce(w.answered_at, '-infinity') THEN w.asked_at END
FROM (SELECT tenant_id, tenure_id, number_id, date_trunc('minute', max(at), 'UTC') AS place,
             max(at) FILTER (WHERE direction = 'in' AND group_id = '' AND target_wamid = '' AND NOT imported) AS asked_at,
             max(at) FILTER (WHERE direction = 'out' AND group_id = '' AND target_wamid = '') AS answered_at
      FROM messages WHERE tenure_id IS NOT NULL GROUP BY tenant_id, tenure_id, number_id) w;
ALTER TABLE messages FORCE ROW LEVEL SECURITY;

CREATE INDEX thread_tips_recent ON thread_tips (tenant_id, place DESC, tenure_id DESC);
CREATE INDEX thread_tips_waiting ON thread_tips (tenant_id, waiting_since, tenure_id) WHERE waiting_since IS NOT NULL;
CREATE INDEX thread_tips_unread ON thread_tips (tenant_id, place DESC, tenure_id DESC) WHERE unread;

ALTER TABLE thread_tips ENABLE ROW LEVEL SECURITY;
ALTER TABLE thread_tips FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON thread_tips USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);

-- +goose Down
DROP TABLE thread_tips;
