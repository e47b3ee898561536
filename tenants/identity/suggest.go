package identity

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// maxSuggested is how many people a case shows by hints alone: more would be noise, and hints never prove anything.
const maxSuggested = 3

// The hints of tier C. They order what a person looks at; they never link, open a case or change its kind.
const (
	hintName       = "sounds_alike"   // C1
	hintUsername   = "username_known" // C2: the username is what the business's own system calls a customer
	hintEmail      = "username_email" // C2: or what stands before the @ of their e-mail address
	hintFellSilent = "fell_silent"    // C3
	hintTogether   = "active_together"
)

// Suggest adds to an open case whom hints alone name, gives each candidate its score, and puts the likeliest first. Whom somebody has
// ruled out is not named again.
func Suggest(ctx context.Context, tx *tenants.Tx, c Case) (Case, error) {
	if c.Contact == nil || c.State != "open" || c.Kind == CaseConflict {
		return c, nil
	}
	mine := idsOf(c.Contact.Identities)
	ruled, err := ruledApart(ctx, tx, mine)
	if err != nil {
		return Case{}, err
	}
	name, err := ask(ctx, tx, c.Contact.ID, calledOf(*c.Contact))
	if err != nil {
		return Case{}, err
	}
	except := []uuid.UUID{c.Contact.ID}
	for _, k := range c.Candidates {
		except = append(except, k.Contact.ID)
	}

	sounding, err := name.namesakes(ctx, tx, except)
	if err != nil {
		return Case{}, err
	}
	hinted, err := hintedAt(ctx, tx, *c.Contact, except)
	if err != nil {
		return Case{}, err
	}
	quiet, err := objecting(ctx, tx, append(keys(hinted), except...))
	if err != nil {
		return Case{}, err
	}
	if quiet[c.Contact.ID] {
		name, sounding, hinted = asked{}, nil, nil
	}
	maps.DeleteFunc(hinted, func(id uuid.UUID, _ []Reason) bool { return quiet[id] })
	near, err := nearest(ctx, tx, *c.Contact, sounding, maxSuggested+len(ruled)+len(hinted))
	if err != nil {
		return Case{}, err
	}
	people, err := hydrate(ctx, tx, likeliest(near, hinted, len(ruled)))
	if err != nil {
		return Case{}, err
	}
	named := 0
	for _, p := range people {
		if named == maxSuggested {
			break
		}
		if !isApart(ruled, mine, p) && len(p.Identities) > 0 {
			c.Candidates = append(c.Candidates, Candidate{Contact: p, Tier: "C", Reasons: hinted[p.ID], Against: against(p, *c.Contact)})
			named++
		}
	}

	return c, c.weigh(ctx, tx, name, sounding, quiet)
}

// weigh adds the smaller signs about each candidate and scores it.
func (c *Case) weigh(ctx context.Context, tx *tenants.Tx, name asked, sounding []namesake, quiet map[uuid.UUID]bool) error {
	if err := guessable(ctx, tx, c.Candidates); err != nil {
		return err
	}
	together, err := activeTogether(ctx, tx, c.Contact.ID, c.Candidates)
	if err != nil {
		return err
	}
	when, err := wroteWhen(ctx, tx, c.Contact.ID, c.Candidates)
	if err != nil {
		return err
	}
	appeared := when[c.Contact.ID].First
	var now time.Time
	if err := tx.GetContext(ctx, &now, `SELECT now()`); err != nil {
		return fmt.Errorf("read the time: %w", err)
	}

	c.doubtTwins()
	for i := range c.Candidates {
		k := &c.Candidates[i]
		var words []string
		for _, n := range calledOf(k.Contact) {
			words = append(words, nameWords(n)...)
		}
		bits, alike := name.bits(newNameWords(words))
		// What a list calls whoever has a phone may be its former holder's name: of a phone that may have passed on it says nothing.
		renamed := slices.ContainsFunc(k.Against, func(r Reason) bool { return r.Code == contestRenamed })
		if renamed {
			bits, alike = 0, false
		}
		if at := slices.IndexFunc(sounding, func(n namesake) bool { return n.contact == k.Contact.ID }); at >= 0 && !renamed {
			k.Reasons = append(k.Reasons, c.soundsLike(k.Contact, sounding[at].others))
		} else if alike && bits > 0 && !quiet[k.Contact.ID] {
			others := 0
			for _, n := range sounding {
				if n.bits >= bits-1 {
					others++
				}
			}
			k.Reasons = append(k.Reasons, c.soundsLike(k.Contact, others))
		}
		if last := when[k.Contact.ID].Last; fellSilent(last, appeared, now) {
			k.Reasons = append(k.Reasons, Reason{Code: hintFellSilent, Tier: "C", Args: map[string]string{"at": last.UTC().Format(time.RFC3339)}})
		}
		if r, ok := together[k.Contact.ID]; ok {
			k.Against = append(k.Against, r)
		}
		k.weigh(name.pool, bits, !alike && !renamed && len(name.names) > 0 && len(words) > 0)
	}
	rank(c.Candidates)

	return nil
}

func (c *Case) soundsLike(candidate Contact, others int) Reason {
	return Reason{Code: hintName, Tier: "C", Args: map[string]string{
		"mine": c.Contact.Name(), "theirs": candidate.Name(), "others": strconv.Itoa(others),
	}}
}

// calledOf is every name a contact goes by.
func calledOf(c Contact) []string {
	names := []string{c.DisplayName, c.SavedName}
	for _, i := range c.Identities {
		names = append(names, i.ProfileName)
	}

	return slices.DeleteFunc(names, func(n string) bool { return n == "" })
}

// likeliest are the contacts to look at closely, those hinted at by more than a name first. spare is how many may be ruled out.
func likeliest(sounding []namesake, hinted map[uuid.UUID][]Reason, spare int) []uuid.UUID {
	ids := keys(hinted)
	for _, n := range sounding {
		if len(ids) >= maxSuggested+spare {
			break
		}
		if !slices.Contains(ids, n.contact) {
			ids = append(ids, n.contact)
		}
	}

	return ids
}

// isApart tells whether people decided that one of the accounts is not one of the contact's.
func isApart(ruled map[[2]uuid.UUID]time.Time, mine []uuid.UUID, c Contact) bool {
	for _, m := range mine {
		for _, i := range c.Identities {
			if _, apart := ruled[[2]uuid.UUID{m, i.ID}]; apart {
				return true
			}
		}
	}

	return false
}

// maxHinted is how many contacts may bear what a hint speaks of; more, and it says nothing.
const maxHinted = 2

// hintedAt finds whom something weaker than a strong sign names: a short number that they gave, or their username among what the
// business's own system calls its customers.
func hintedAt(ctx context.Context, tx *tenants.Tx, c Contact, except []uuid.UUID) (map[uuid.UUID][]Reason, error) {
	hinted := map[uuid.UUID][]Reason{}
	numbers, err := givenOf(ctx, tx, idsOf(c.Identities))
	if err != nil {
		return nil, err
	}
	for _, r := range numbers {
		if r.isHint() && !slices.Contains(except, r.Bears) {
			hinted[r.Bears] = append(hinted[r.Bears], r.reason())
		}
	}

	for _, i := range c.Identities {
		_, username := whatsapp.Username(i.Username)
		if len(username) < 5 {
			continue
		}
		for code, words := range map[string][]string{
			hintUsername: {"x:" + username, "x:" + username + "\x01", "x:@" + username, "x:@" + username + "\x01"},
			hintEmail: {
				"x:" + username + "@", "x:" + username + "A",
				"x:" + plainHandle.Replace(username) + "@", "x:" + plainHandle.Replace(username) + "A",
			},
		} {
			found, err := holdersBetween(ctx, tx, words)
			if err != nil {
				return nil, err
			}
			for _, id := range found {
				if len(found) <= maxHinted && !slices.Contains(except, id) {
					hinted[id] = append(hinted[id], Reason{Code: code, Tier: "C", Args: map[string]string{"username": i.Username}})
				}
			}
		}
	}

	return hinted, nil
}

// plainHandle takes out what people put into a username and leave out of an address.
var plainHandle = strings.NewReplacer(".", "", "_", "")

// holdersBetween are the contacts found by a word within one of two ranges [from, to).
func holdersBetween(ctx context.Context, tx *tenants.Tx, r []string) ([]uuid.UUID, error) {
	var ids []uuid.UUID
	err := tx.SelectContext(ctx, &ids, `
		(SELECT contact_id FROM contact_words WHERE tenant_id = $1 AND word >= $2 AND word < $3 LIMIT $6)
		UNION
		(SELECT contact_id FROM contact_words WHERE tenant_id = $1 AND word >= $4 AND word < $5 LIMIT $6)
		ORDER BY contact_id`, tx.Tenant, r[0], r[1], r[2], r[3], maxHinted+1)
	if err != nil {
		return nil, fmt.Errorf("look for a username: %w", err)
	}

	return ids, nil
}

const (
	silentWithin = 14 * 24 * time.Hour // between their last message and the first of the new account
	silentSince  = 7 * 24 * time.Hour  // of quiet before it says anything
)

// fellSilent tells whether somebody who had been writing stopped when another account appeared.
func fellSilent(last, appeared, now time.Time) bool {
	return !last.IsZero() && last.Before(appeared) && appeared.Sub(last) <= silentWithin && now.Sub(appeared) >= silentSince
}

// wrote is when somebody wrote first and last.
type wrote struct {
	Contact uuid.UUID `db:"contact_id"`
	First   time.Time `db:"first_at"`
	Last    time.Time `db:"last_at"`
}

// wroteWhen reads it of a contact and its candidates. By their messages: what else says when somebody was last heard of is cut to the
// minute, and hangs on the order in which messages came.
func wroteWhen(ctx context.Context, tx *tenants.Tx, contact uuid.UUID, list []Candidate) (map[uuid.UUID]wrote, error) {
	ids := []uuid.UUID{contact}
	for _, k := range list {
		ids = append(ids, k.Contact.ID)
	}
	var rows []wrote
	err := tx.SelectContext(ctx, &rows, `
		SELECT i.contact_id, min(f.at) AS first_at, max(l.at) AS last_at
		FROM identities i
		JOIN tenures t ON t.tenant_id = $1 AND t.identity_id = i.id
		CROSS JOIN LATERAL (SELECT m.at FROM messages m WHERE m.tenant_id = $1 AND m.tenure_id = t.id AND m.direction = 'in' ORDER BY m.at, m.id LIMIT 1) f
		CROSS JOIN LATERAL (SELECT m.at FROM messages m WHERE m.tenant_id = $1 AND m.tenure_id = t.id AND m.direction = 'in' ORDER BY m.at DESC, m.id DESC LIMIT 1) l
		WHERE i.tenant_id = $1 AND i.contact_id = ANY($2) AND i.absorbed_into IS NULL GROUP BY i.contact_id`, tx.Tenant, pq.Array(ids))
	if err != nil {
		return nil, fmt.Errorf("read when they wrote: %w", err)
	}
	when := make(map[uuid.UUID]wrote, len(rows))
	for _, r := range rows {
		when[r.Contact] = r
	}

	return when, nil
}

// activeTogether finds candidates who wrote something else within minutes of the contact. The contact's last messages are looked at.
func activeTogether(ctx context.Context, tx *tenants.Tx, contact uuid.UUID, list []Candidate) (map[uuid.UUID]Reason, error) {
	var ids []uuid.UUID
	for _, k := range list {
		ids = append(ids, k.Contact.ID)
	}
	var rows []struct {
		Contact uuid.UUID `db:"contact_id"`
		At      time.Time `db:"at"`
		ItemID  int64     `db:"item_id"`
	}
	err := tx.SelectContext(ctx, &rows, `
		WITH mine AS (
			SELECT m.at, m.item_id, m.text FROM identities i
			JOIN tenures t ON t.tenant_id = $1 AND t.identity_id = i.id
			CROSS JOIN LATERAL (SELECT m.at, m.item_id, m.text FROM messages m
			                    WHERE m.tenant_id = $1 AND m.tenure_id = t.id AND m.direction = 'in' AND NOT m.imported ORDER BY m.at DESC, m.id DESC LIMIT 50) m
			WHERE i.tenant_id = $1 AND i.contact_id = $2 AND i.absorbed_into IS NULL
		), span AS (SELECT min(at) - $4 * interval '1 second' AS first, max(at) + $4 * interval '1 second' AS last FROM mine)
		SELECT DISTINCT ON (i.contact_id) i.contact_id, m.at, m.item_id
		FROM identities i
		JOIN tenures t ON t.tenant_id = $1 AND t.identity_id = i.id
		CROSS JOIN span s
		CROSS JOIN LATERAL ( -- most wrote nothing in all that time
			SELECT FROM messages o WHERE o.tenant_id = $1 AND o.tenure_id = t.id AND o.at BETWEEN s.first AND s.last LIMIT 1) wrote
		CROSS JOIN mine m
		WHERE i.tenant_id = $1 AND i.contact_id = ANY($3) AND i.absorbed_into IS NULL
		  AND EXISTS (SELECT 1 FROM messages o WHERE o.tenant_id = $1 AND o.tenure_id = t.id AND o.direction = 'in' AND NOT o.imported AND o.text <> m.text
		              AND o.at BETWEEN m.at - $4 * interval '1 second' AND m.at + $4 * interval '1 second')
		ORDER BY i.contact_id, m.at DESC, m.item_id`, tx.Tenant, contact, pq.Array(ids), bothAtOnce.Seconds())
	if err != nil {
		return nil, fmt.Errorf("look who wrote at the same time: %w", err)
	}
	found := map[uuid.UUID]Reason{}
	for _, r := range rows {
		found[r.Contact] = Reason{Code: hintTogether, ItemID: r.ItemID, Args: map[string]string{"at": r.At.UTC().Format(time.RFC3339)}}
	}

	return found, nil
}
