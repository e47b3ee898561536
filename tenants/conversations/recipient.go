package conversations

import (
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// Why nothing can be sent in a thread, as Recipient.Blocked says it.
const (
	BlockedNoAddress      = "no_address"          // no current phone and no current WhatsApp ID is known
	BlockedDisconnected   = "number_disconnected" // the business's number is not connected any more
	BlockedOtherPortfolio = "other_portfolio"     // the account belongs to another portfolio than the number
	BlockedPhoneFree      = "phone_free"          // their phone is not kept, and no WhatsApp ID of theirs is known
	BlockedStopped        = "sending_stopped"     // nothing goes out from this business now
)

// Thread names what was said between one account and one of the business's numbers. In a question Identity and Number may be
// uuid.Nil: then they are those of the contact's last inbound message.
type Thread struct {
	Contact, Identity, Number uuid.UUID
}

// Recipient is where a reply in a thread goes, to be shown before it is sent.
type Recipient struct {
	Thread // as it is now: the contact the account is part of, the account itself

	Name, Username string
	Kind           whatsapp.Kind // phone or bsuid; "" where there is no address
	Address        string        // as it must be sent
	LastInboundAt  time.Time     // when the account last wrote to the number; zero where never
	WindowEnds     time.Time     // until when free text may be sent; zero where they never wrote
	Open           bool          // free text may be sent now
	Blocked        string        // one of Blocked…, or "" where a message can be sent
	Paused         string        // one of whatsapp.Trouble…: messages of this number wait; or ""
	PhoneFree      bool          // the number keeps no phones: what may be one in a message goes out, and is not kept
	Version        string        // what was shown, to be given back with the draft

	shown
	contact identity.Contact
}

// shown is what a recipient is told from another by: whoever sends has seen exactly this.
type shown struct {
	contactID, identityID, numberID uuid.UUID
	identifierID                    uuid.UUID // the address
	lastInbound                     uuid.UUID // the message that is answered; Nil where they never wrote
}

func (s shown) version() string {
	var b []byte
	for _, id := range []uuid.UUID{s.contactID, s.identityID, s.numberID, s.identifierID, s.lastInbound} {
		b = append(b, id[:]...)
	}

	return base64.RawURLEncoding.EncodeToString(b)
}

func readVersion(version string) (s shown, err error) {
	b, err := base64.RawURLEncoding.DecodeString(version)
	if err != nil || len(b) != 5*len(uuid.UUID{}) {
		return shown{}, &tenants.Invalid{Field: "version", Key: "needed"}
	}
	for i, id := range []*uuid.UUID{&s.contactID, &s.identityID, &s.numberID, &s.identifierID, &s.lastInbound} {
		copy(id[:], b[i*len(id):])
	}

	return s, nil
}

// ReplyTo says where a reply in a thread goes. ErrNotFound where the tenant has no such contact or number, the account is none of
// the contact's, or there is nobody to write to.
func ReplyTo(ctx context.Context, tx *tenants.Tx, t Thread) (Recipient, error) {
	account, err := surviving(ctx, tx, t.Identity)
	if err != nil {
		return Recipient{}, err
	}
	t.Identity = account

	return replyTo(ctx, tx, t)
}

// replyTo is ReplyTo of an account that has not turned out to be another.
func replyTo(ctx context.Context, tx *tenants.Tx, t Thread) (Recipient, error) {
	r, i, last, err := standingAccount(ctx, tx, t)
	if err != nil {
		return Recipient{}, err
	}
	if err := r.takeNumber(ctx, tx, i, orElse(t.Number, last.Number)); err != nil {
		return Recipient{}, err
	}
	if t != r.Thread { // else it is the last message of just this thread
		if last, err = lastInbound(ctx, tx, r.contact, r.Thread); err != nil {
			return Recipient{}, err
		}
	}
	r.lastInbound, r.LastInboundAt = last.ID, last.At
	r.contactID, r.identityID, r.numberID = r.Contact, r.Identity, r.Number
	r.Version = r.version()

	return r, nil
}

// accountOf is the account of a thread as it is now. No number is needed for that.
func accountOf(ctx context.Context, tx *tenants.Tx, t Thread) (r Recipient, err error) {
	if t.Identity, err = surviving(ctx, tx, t.Identity); err != nil {
		return r, err
	}
	r, _, _, err = standingAccount(ctx, tx, t)

	return r, err
}

// standingAccount is the account of a thread, which has not turned out to be another, with its address, and the message that tells which
// one it is.
func standingAccount(ctx context.Context, tx *tenants.Tx, t Thread) (r Recipient, i identity.Identity, last inbound, err error) {
	c, err := identity.Get(ctx, tx, t.Contact)
	if err != nil {
		return r, i, last, err
	}
	if len(c.Identities) == 0 {
		return r, i, last, tenants.ErrNotFound
	}
	if last, err = lastInbound(ctx, tx, c, t); err != nil {
		return r, i, last, err
	}
	account := slices.IndexFunc(c.Identities, func(i identity.Identity) bool {
		switch {
		case t.Identity != uuid.Nil:
			return i.ID == t.Identity
		case last.ID != uuid.Nil:
			return i.ID == last.Identity
		default:
			_, address := i.Address()
			return address != ""
		}
	})
	if account < 0 && t.Identity != uuid.Nil {
		return r, i, last, tenants.ErrNotFound
	}
	i = c.Identities[max(account, 0)]
	r = Recipient{Thread: Thread{Contact: c.ID, Identity: i.ID}, Name: c.Name(), Username: i.Username, contact: c}
	r.Kind, r.Address, r.identifierID = addressOf(i)

	return r, i, last, nil
}

func orElse(a, b uuid.UUID) uuid.UUID {
	if a != uuid.Nil {
		return a
	}

	return b
}

// addressOf is where a message to an account goes, and the identifier that is.
func addressOf(i identity.Identity) (kind whatsapp.Kind, address string, id uuid.UUID) {
	kind, address = i.Address()
	for _, d := range i.Identifiers {
		if d.Current && d.Kind == kind && (d.Raw == address || d.Value == address) {
			return kind, address, d.ID
		}
	}

	return "", "", uuid.Nil
}

// surviving follows an account to the one that it turned out to be.
func surviving(ctx context.Context, tx *tenants.Tx, account uuid.UUID) (uuid.UUID, error) {
	if account == uuid.Nil {
		return uuid.Nil, nil
	}
	var now uuid.UUID
	err := tx.GetContext(ctx, &now, `SELECT coalesce(absorbed_into, id) FROM identities WHERE tenant_id = $1 AND id = $2`, tx.Tenant, account)
	if errors.Is(err, sql.ErrNoRows) {
		return uuid.Nil, tenants.ErrNotFound
	}
	if err != nil {
		return uuid.Nil, fmt.Errorf("follow account: %w", err)
	}

	return now, nil
}

// inbound is a message from a customer, as far as a reply needs to know it.
type inbound struct {
	ID       uuid.UUID `db:"id"`
	Identity uuid.UUID `db:"identity_id"`
	Number   uuid.UUID `db:"number_id"`
	At       time.Time `db:"at"`
}

// inboundOf is the newest message or call that came by tenure t, to the number $2 or, where that is NULL, to any.
const inboundOf = `
	SELECT n.id, n.number_id, n.at FROM messages n
	WHERE n.tenant_id = $1 AND n.tenure_id = t.id AND n.direction = 'in' AND n.group_id = '' AND n.target_wamid = ''
	  AND ($2::uuid IS NULL OR n.number_id = $2)
	ORDER BY n.at DESC, n.id DESC LIMIT 1`

// lastInbound is the newest message or call of a contact in a thread, as far as the thread is named; zero where there is none.
func lastInbound(ctx context.Context, tx *tenants.Tx, c identity.Contact, t Thread) (inbound, error) {
	from := accounts(c)
	if t.Identity != uuid.Nil {
		from = []uuid.UUID{t.Identity}
	}
	var m inbound
	err := tx.GetContext(ctx, &m, `
		SELECT t.identity_id, m.id, m.number_id, m.at
		FROM tenures t CROSS JOIN LATERAL (`+inboundOf+`) m
		WHERE t.tenant_id = $1 AND t.identity_id = ANY($3)
		ORDER BY m.at DESC, m.id DESC LIMIT 1`, tx.Tenant, uuidOrNil(t.Number), pq.Array(from))
	if errors.Is(err, sql.ErrNoRows) {
		return inbound{}, nil
	}
	if err != nil {
		return inbound{}, fmt.Errorf("read last inbound message: %w", err)
	}

	return m, nil
}

// takeNumber settles the number a reply goes out from: the one asked for, else the first connected one that can reach the account. It also
// says since when and until when they can be written to freely from there. A call or a chat of before opens nothing.
func (r *Recipient) takeNumber(ctx context.Context, tx *tenants.Tx, i identity.Identity, number uuid.UUID) error {
	var row struct {
		ID      uuid.UUID  `db:"number_id"`
		Scope   string     `db:"scope"`
		State   string     `db:"state"`
		Trouble string     `db:"trouble"`
		Free    bool       `db:"phone_free"`
		Life    string     `db:"life"`
		Ends    *time.Time `db:"ends"`
		Open    bool       `db:"open"`
	}
	err := tx.GetContext(ctx, &row, `
		SELECT a.number_id, a.scope, a.state, a.phone_free, a.trouble, a.life, w.ends, coalesce(w.ends > now(), false) AS open
		FROM (SELECT n.id AS number_id, n.scope, n.state, n.phone_free, coalesce(l.trouble, '') AS trouble, t.state AS life, $5::uuid AS identity_id
		      FROM numbers n JOIN tenants t ON t.id = n.tenant_id LEFT JOIN outbox_lanes l ON l.tenant_id = $1 AND l.number_id = n.id
		      WHERE n.tenant_id = $1 AND (n.id = $2 OR $2 = $7 AND n.scope = $6)
		      ORDER BY n.state = 'disconnected', n.created_at, n.id LIMIT 1) a
		CROSS JOIN LATERAL (`+windowOf+`) w`, tx.Tenant, number, TypeCall, identity.Window.Seconds(), i.ID, i.Scope, uuid.Nil)
	if errors.Is(err, sql.ErrNoRows) {
		return tenants.ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("read number of thread: %w", err)
	}

	r.Number, r.Paused, r.PhoneFree = row.ID, row.Trouble, row.Free
	if row.Ends != nil {
		r.WindowEnds, r.Open = *row.Ends, row.Open
	}
	switch {
	case !tenants.Allows(row.Life, tenants.Sending):
		r.Blocked = BlockedStopped
	case row.State == "disconnected":
		r.Blocked = BlockedDisconnected
	case row.Scope != i.Scope:
		r.Blocked = BlockedOtherPortfolio
	case r.Address == "" && i.PhoneFree:
		r.Blocked = BlockedPhoneFree
	case r.Address == "":
		r.Blocked = BlockedNoAddress
	}

	return nil
}

// windowOf is until when free text may be sent to account a.identity_id from number a.number_id: NULL where they never wrote. $3 is
// TypeCall, $4 the window in seconds.
const windowOf = `
	SELECT max(m.at) + $4 * interval '1 second' AS ends
	FROM tenures t
	CROSS JOIN LATERAL (
		SELECT least(n.at, now()) AS at FROM messages n
		WHERE n.tenant_id = $1 AND n.tenure_id = t.id AND n.number_id = a.number_id AND n.direction = 'in' AND n.group_id = ''
		  AND n.target_wamid = '' AND n.type <> $3 AND NOT n.imported
		ORDER BY n.at DESC, n.id DESC LIMIT 1) m
	WHERE t.tenant_id = $1 AND t.identity_id = a.identity_id`
