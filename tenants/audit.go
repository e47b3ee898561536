package tenants

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// Actor is who does something: a person, an api_key, an operator, a command, or the system itself.
type Actor struct {
	Kind string // person, api_key, operator, command, system
	ID   string
	Name string // as shown in the journal
}

// SystemActor is the actor of what the product does by itself.
var SystemActor = Actor{Kind: "system"}

// Act is one thing done, for the audit. Detail holds ids, codes and before/after of settings; never a phone, message text or secret.
type Act struct {
	Actor      Actor
	Action     string // verb with its subject, "contact.merge"
	ObjectKind string
	ObjectID   string
	Detail     map[string]any
}

// AuditEntry is one line of a chain.
type AuditEntry struct {
	Seq        int64     `db:"seq"`
	At         time.Time `db:"at"`
	ActorKind  string    `db:"actor_kind"`
	ActorID    string    `db:"actor_id"`
	ActorName  string    `db:"actor_name"`
	Action     string    `db:"action"`
	ObjectKind string    `db:"object_kind"`
	ObjectID   string    `db:"object_id"`
	Detail     string    `db:"detail"`
	PrevHash   []byte    `db:"prev_hash"`
	Hash       []byte    `db:"hash"`
}

// Audit adds an entry to the chain of tx's tenant, or of the platform in a System transaction, in the same transaction as the
// act it tells of. Writers of one chain wait for each other from here to their commit, so call it last.
func Audit(ctx context.Context, tx *Tx, act Act) error {
	detail := []byte("{}")
	if len(act.Detail) > 0 {
		var err error
		if detail, err = json.Marshal(act.Detail); err != nil {
			return fmt.Errorf("encode audit detail: %w", err)
		}
	}

	prev, err := auditHead(ctx, tx)
	if err != nil {
		return err
	}

	e := AuditEntry{
		Seq: prev.Seq + 1, At: time.Now().UTC().Truncate(time.Microsecond),
		ActorKind: act.Actor.Kind, ActorID: act.Actor.ID, ActorName: act.Actor.Name,
		Action: act.Action, ObjectKind: act.ObjectKind, ObjectID: act.ObjectID, Detail: string(detail), PrevHash: prev.Hash,
	}
	e.Hash = e.hash(tx.Tenant)

	if tx.Tenant == uuid.Nil {
		_, err = tx.ExecContext(ctx, `
			INSERT INTO platform_audit (seq, at, actor_kind, actor_id, action, object_kind, object_id, detail, prev_hash, hash)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
			e.Seq, e.At, e.ActorKind, e.ActorID, e.Action, e.ObjectKind, e.ObjectID, e.Detail, e.PrevHash, e.Hash)
	} else {
		_, err = tx.ExecContext(ctx, `
			INSERT INTO audit_entries (tenant_id, seq, at, actor_kind, actor_id, actor_name, action, object_kind, object_id, detail, prev_hash, hash)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
			tx.Tenant, e.Seq, e.At, e.ActorKind, e.ActorID, e.ActorName, e.Action, e.ObjectKind, e.ObjectID, e.Detail, e.PrevHash, e.Hash)
	}
	if err != nil {
		return fmt.Errorf("write audit entry: %w", err)
	}
	if tx.audited == nil {
		tx.audited = map[uuid.UUID]AuditEntry{}
	}
	tx.audited[tx.Tenant] = e

	return nil
}

// auditHead is the last entry of the chain, which nobody else adds to until tx ends.
func auditHead(ctx context.Context, tx *Tx) (AuditEntry, error) {
	if last, ok := tx.audited[tx.Tenant]; ok {
		return last, nil
	}
	if _, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock(hashtextextended('audit ' || $1, 0))`, tx.Tenant.String()); err != nil {
		return AuditEntry{}, fmt.Errorf("lock audit chain: %w", err)
	}

	return lastAudit(ctx, tx)
}

func lastAudit(ctx context.Context, tx *Tx) (AuditEntry, error) {
	var (
		prev AuditEntry
		err  error
	)
	if tx.Tenant == uuid.Nil {
		err = tx.GetContext(ctx, &prev, `SELECT seq, hash FROM platform_audit ORDER BY seq DESC LIMIT 1`)
	} else {
		err = tx.GetContext(ctx, &prev, `SELECT seq, hash FROM audit_entries WHERE tenant_id = $1 ORDER BY seq DESC LIMIT 1`, tx.Tenant)
	}
	if errors.Is(err, sql.ErrNoRows) {
		return AuditEntry{Hash: make([]byte, sha256.Size)}, nil
	}
	if err != nil {
		return AuditEntry{}, fmt.Errorf("read audit head: %w", err)
	}

	return prev, nil
}

// hash covers every field of the entry, each preceded by its length so that no two entries read alike, and the chain's owner
// so that two tenants' chains cannot be swapped.
func (e AuditEntry) hash(tenant uuid.UUID) []byte {
	var b bytes.Buffer
	field := func(p []byte) {
		_ = binary.Write(&b, binary.BigEndian, uint32(len(p)))
		b.Write(p)
	}

	field(e.PrevHash)
	field(tenant[:])
	field(binary.BigEndian.AppendUint64(nil, uint64(e.Seq)))
	field([]byte(e.At.UTC().Format(time.RFC3339Nano)))
	actorName := e.ActorName
	if tenant == uuid.Nil {
		actorName = ""
	}
	for _, s := range []string{e.ActorKind, e.ActorID, actorName, e.Action, e.ObjectKind, e.ObjectID, e.Detail} {
		field([]byte(s))
	}

	sum := sha256.Sum256(b.Bytes())

	return sum[:]
}

// AuditFault is the first entry at which a chain does not hold. Seq counts from 1.
type AuditFault struct {
	Seq  int64
	What string // gap, link, content
}

// VerifyAudit walks the chain of tx's tenant (of the platform in a System transaction) and returns the number of entries and the first fault, if any.
func VerifyAudit(ctx context.Context, tx *Tx) (int64, *AuditFault, error) {
	query := `SELECT seq, at, actor_kind, actor_id, actor_name, action, object_kind, object_id, detail, prev_hash, hash
		FROM audit_entries ORDER BY seq`
	if tx.Tenant == uuid.Nil {
		query = `SELECT seq, at, actor_kind, actor_id, '' AS actor_name, action, object_kind, object_id, detail, prev_hash, hash
			FROM platform_audit ORDER BY seq`
	}

	rows, err := tx.QueryxContext(ctx, query)
	if err != nil {
		return 0, nil, fmt.Errorf("read audit chain: %w", err)
	}
	defer func() { _ = rows.Close() }()

	prev, n := make([]byte, sha256.Size), int64(0)
	for rows.Next() {
		var e AuditEntry
		if err := rows.StructScan(&e); err != nil {
			return n, nil, fmt.Errorf("read audit entry: %w", err)
		}
		n++
		switch {
		case e.Seq != n:
			return n, &AuditFault{Seq: n, What: "gap"}, nil
		case !bytes.Equal(e.PrevHash, prev):
			return n, &AuditFault{Seq: n, What: "link"}, nil
		case !bytes.Equal(e.Hash, e.hash(tx.Tenant)):
			return n, &AuditFault{Seq: n, What: "content"}, nil
		}
		prev = e.Hash
	}
	if err := rows.Err(); err != nil {
		return n, nil, fmt.Errorf("read audit chain: %w", err)
	}

	return n, nil, nil
}

// AuditHead is the last entry of the chain of tx's tenant, or of the platform in a System transaction; 0 where there is none.
func AuditHead(ctx context.Context, tx *Tx) (seq int64, hash []byte, err error) {
	last, err := lastAudit(ctx, tx)

	return last.Seq, last.Hash, err
}

// AuditHash is the hash of one entry of a chain, or ErrNotFound.
func AuditHash(ctx context.Context, tx *Tx, seq int64) (hash []byte, err error) {
	query := `SELECT hash FROM audit_entries WHERE tenant_id = $2 AND seq = $1`
	if tx.Tenant == uuid.Nil {
		query = `SELECT hash FROM platform_audit WHERE seq = $1 AND $2 = $2::uuid`
	}
	err = tx.GetContext(ctx, &hash, query, seq, tx.Tenant)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("read audit entry %d: %w", seq, err)
	}

	return hash, nil
}
