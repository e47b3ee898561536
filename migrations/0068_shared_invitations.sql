-- A link to an invitation that somebody of the team passes on by themselves, for example by WhatsApp. Kept as a hash, as the mail's is; all it
-- can do is have the invitation mailed again to whom it is for. The link of those mails is another than the first one's, which stays good.

-- +goose Up
SET LOCAL lock_timeout = '2s';
ALTER TABLE invitations
    ADD COLUMN share_hash bytea,
    ADD COLUMN share_by uuid,
    ADD COLUMN again_hash bytea,
    ADD CONSTRAINT invitations_share_check CHECK ((share_hash IS NULL) = (share_by IS NULL));
CREATE INDEX invitations_share ON invitations (share_hash) WHERE share_hash IS NOT NULL;
CREATE INDEX invitations_again ON invitations (again_hash) WHERE again_hash IS NOT NULL;

-- +goose Down
DROP INDEX invitations_again;
DROP INDEX invitations_share;
ALTER TABLE invitations
    DROP CONSTRAINT invitations_share_check,
    DROP COLUMN again_hash,
    DROP COLUMN share_by,
    DROP COLUMN share_hash;
