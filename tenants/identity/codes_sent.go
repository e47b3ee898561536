package identity

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// Who has sent so many codes that were none within so long is not listened to any more, whatever comes.
const (
	codeTries    = 5
	codeTriesFor = 24 * time.Hour
)

// sentCode is a code as it came, the same message once however often it was delivered.
type sentCode struct {
	hash   string
	sender uuid.UUID
	at     time.Time
}

// redeemCodes uses up the codes that came in this batch, and keeps what they prove as hints. Whoever sends one that is unknown, used,
// expired or taken back is told nothing, and neither is whoever sends a good one: only the business sees a difference. A batch
// without a code costs nothing; one with costs one statement, two where somebody was wrong.
func (b *Batch) redeemCodes(ctx context.Context) error {
	sent := map[sentCode]int{} // the event it came in
	var list []sentCode
	for i, s := range b.seen {
		for _, hash := range s.Codes {
			c := sentCode{string(hash), s.leading(), s.at}
			if _, again := sent[c]; !again && c.sender != uuid.Nil {
				sent[c], list = i, append(list, c)
			}
		}
	}
	if len(list) == 0 {
		return nil
	}
	hashes, senders, at := make([][]byte, len(list)), make([]uuid.UUID, len(list)), make([]time.Time, len(list))
	for n, c := range list {
		hashes[n], senders[n], at[n] = []byte(c.hash), c.sender, c.at
	}

	var good []struct {
		N        int           `db:"n"` // of list, from 1
		Hash     []byte        `db:"hash"`
		Phone    string        `db:"phone"`
		Kind     string        `db:"kind"`
		BeforeBy uuid.NullUUID `db:"before_by"` // who had sent it before, as it seemed
		BeforeAt *time.Time    `db:"before_at"`
	}
	err := b.tx.SelectContext(ctx, &good, `
		WITH sent AS (
			SELECT w.* FROM unnest($2::bytea[], $3::uuid[], $4::timestamptz[]) WITH ORDINALITY AS w (hash, sender, at, n)
			WHERE (SELECT count(*) FROM link_code_tries t WHERE t.tenant_id = $1 AND t.identifier_id = w.sender
			       AND t.at < w.at AND t.at > w.at - $5 * interval '1 second') < $6
		), first AS (
			SELECT DISTINCT ON (hash) * FROM sent ORDER BY hash, at, n
		), used AS (
			UPDATE link_codes c SET used_at = least(c.used_at, f.at), used_by = CASE WHEN c.used_at <= f.at THEN c.used_by ELSE f.sender END
			FROM first f JOIN link_codes o ON o.tenant_id = $1 AND o.hash = f.hash
			WHERE c.tenant_id = $1 AND c.id = o.id AND (c.kind = 'printed' OR c.used_at IS NULL OR f.at < c.used_at OR c.used_at = f.at AND c.used_by = f.sender)
			  AND f.at >= date_trunc('second', c.made_at) AND (c.expires_at IS NULL OR f.at < c.expires_at) AND (c.revoked_at IS NULL OR f.at < c.revoked_at)
			RETURNING c.hash, c.kind, c.phone, f.n, o.used_by AS before_by, o.used_at AS before_at
		)
		SELECT s.n, u.hash, u.kind, u.phone, u.before_by, u.before_at FROM used u JOIN sent s ON s.hash = u.hash AND (u.kind = 'printed' OR s.n = u.n)`,
		b.tx.Tenant, pq.ByteaArray(hashes), pq.Array(senders), pq.Array(at), codeTriesFor.Seconds(), codeTries)
	if err != nil {
		return fmt.Errorf("use codes: %w", err)
	}

	b.codes = map[int][]hint{}
	for _, g := range good {
		c := list[g.N-1]
		i := sent[c]
		delete(sent, c)
		kind := hintCode
		if g.Kind == CodePrinted {
			kind = hintPrinted
		} else if g.BeforeBy.Valid && (g.BeforeBy.UUID != c.sender || !g.BeforeAt.Equal(c.at)) {
			if err := b.takeCode(ctx, g.Hash, g.Phone, g.BeforeBy.UUID); err != nil {
				return err
			}
			sent[sentCode{c.hash, g.BeforeBy.UUID, *g.BeforeAt}] = i
		}
		// Who shows a phone has proved theirs; that somebody else's code came from there says that it was passed on.
		if s := b.seen[i]; s.bsuid != uuid.Nil && s.phone == uuid.Nil {
			b.codes[i] = append(b.codes[i], hint{s.bsuid, kind, whatsapp.KindPhone, g.Phone})
		}
	}

	return b.countTries(ctx, sent)
}

// takeCode takes what a single-use code said from whoever was heard to send it before the one who sent it first. theirs is the identifier
// they sent it by.
func (b *Batch) takeCode(ctx context.Context, hash []byte, phone string, theirs uuid.UUID) error {
	if _, err := b.tx.ExecContext(ctx, `
		DELETE FROM hints h WHERE h.tenant_id = $1 AND h.subject_id = $2 AND h.kind = $3 AND h.claim_kind = $4 AND h.claim_value = $5
		  AND NOT EXISTS (SELECT 1 FROM link_codes c WHERE c.tenant_id = $1 AND c.used_by = $2 AND c.phone = $5 AND c.kind = $6 AND c.hash <> $7)`,
		b.tx.Tenant, theirs, hintCode, whatsapp.KindPhone, phone, CodeOnce, hash); err != nil {
		return fmt.Errorf("take a code from who sent it later: %w", err)
	}

	return b.touchHolder(ctx, theirs)
}

// countTries keeps who sent what was no code that counts.
func (b *Batch) countTries(ctx context.Context, wrong map[sentCode]int) error {
	if len(wrong) == 0 {
		return nil
	}
	var (
		who  []uuid.UUID
		when []time.Time
	)
	for c := range wrong {
		who, when = append(who, c.sender), append(when, c.at)
	}
	if _, err := b.tx.ExecContext(ctx, `
		INSERT INTO link_code_tries (tenant_id, identifier_id, at)
		SELECT DISTINCT $1::uuid, w.identifier_id, w.at FROM unnest($2::uuid[], $3::timestamptz[]) AS w (identifier_id, at)
		ON CONFLICT (tenant_id, identifier_id, at) DO NOTHING`, b.tx.Tenant, pq.Array(who), pq.Array(when)); err != nil {
		return fmt.Errorf("count wrong codes: %w", err)
	}

	return nil
}

// WrongCodes is how many messages of a contact held what looks like a code and was none that counts: unknown, used before, expired or
// taken back. It is a hint that they tried, and proves nothing.
func WrongCodes(ctx context.Context, tx *tenants.Tx, c Contact) (n int, err error) {
	err = tx.GetContext(ctx, &n, `
		SELECT count(DISTINCT (r.identifier_id, r.at)) FROM tenures t JOIN link_code_tries r ON r.tenant_id = $1 AND r.identifier_id = t.identifier_id
		WHERE t.tenant_id = $1 AND t.identity_id = ANY($2)`, tx.Tenant, pq.Array(idsOf(c.Identities)))
	if err != nil {
		return 0, fmt.Errorf("count wrong codes: %w", err)
	}

	return n, nil
}
