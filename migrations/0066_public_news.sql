-- An announcement may be for everybody, signed in or not: it stands on the page that says how the platform works.

-- +goose Up
SET LOCAL lock_timeout = '2s';

ALTER TABLE announcements DROP CONSTRAINT announcements_audience_check,
    ADD CONSTRAINT announcements_audience_check CHECK (audience IN ('everybody', 'owners', 'public'));

-- +goose Down
UPDATE announcements SET audience = 'everybody' WHERE audience = 'public';
ALTER TABLE announcements DROP CONSTRAINT announcements_audience_check,
    ADD CONSTRAINT announcements_audience_check CHECK (audience IN ('everybody', 'owners'));
