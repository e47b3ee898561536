-- What was set aside may be let go for its age too. A business made from now on begins with the usual windows, which the program writes; one
-- that is there already keeps what it keeps until somebody chooses.

-- +goose Up
SET LOCAL lock_timeout = '2s';

ALTER TABLE retention
    DROP CONSTRAINT retention_class_check,
    DROP CONSTRAINT retention_check,
    ADD CONSTRAINT retention_class_check CHECK (class IN ('raw', 'messages', 'aside', 'lists', 'views')),
    ADD CONSTRAINT retention_check CHECK (days >= CASE class WHEN 'raw' THEN 30 WHEN 'messages' THEN 90 WHEN 'aside' THEN 30 WHEN 'lists' THEN 7 ELSE 365 END);

-- +goose Down
DELETE FROM retention WHERE class = 'aside';
ALTER TABLE retention
    DROP CONSTRAINT retention_class_check,
    DROP CONSTRAINT retention_check,
    ADD CONSTRAINT retention_class_check CHECK (class IN ('raw', 'messages', 'lists', 'views')),
    ADD CONSTRAINT retention_check CHECK (days >= CASE class WHEN 'raw' THEN 30 WHEN 'messages' THEN 90 WHEN 'lists' THEN 7 ELSE 365 END);
