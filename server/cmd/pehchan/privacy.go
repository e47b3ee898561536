package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"os"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/erased"
	"github.com/pehchan/pehchan/tenants/lives"
	"github.com/pehchan/pehchan/tenants/privacy"
)

type privacyErasuresCmd struct {
	Tenant string `help:"Slug of a business; without it, every business's."`
}

type privacyReplayCmd struct {
	List string `arg:"" type:"existingfile" help:"File that privacy erasures wrote."`
}

// stone is a line of the list: a keyed hash of what somebody was known by, or of one of their messages, and when they were erased. It
// tells nobody who that was. A line of the kind wholeBusiness has no hash: all of the business was erased.
type stone struct {
	Tenant   uuid.UUID `json:"tenant"`
	Hash     string    `json:"hash"`
	Kind     string    `json:"kind"`
	ErasedAt time.Time `json:"erased_at"`
	Stopped  bool      `json:"stopped"`
}

const wholeBusiness = "business"

// sealing ends a list, so that one that was changed or cut short is known.
type sealing struct {
	Lines int       `json:"lines"`
	At    time.Time `json:"at"`
	MAC   string    `json:"mac"` // by the master key, over all lines since the last one of these
}

// Run prints a line of JSON for each tombstone, and one that seals them.
func (c privacyErasuresCmd) Run(ctx context.Context, out *console) (err error) {
	in, err := open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.close()) }()

	businesses, err := in.businesses(ctx, c.Tenant)
	if err != nil {
		return err
	}
	sum, lines := in.listSum(), 0
	for _, business := range businesses {
		for after := []byte(nil); ; {
			var page []erased.Stone
			if err := in.db.As(ctx, business, func(tx *tenants.Tx) (err error) {
				page, err = erased.After(ctx, tx, after, 1000)
				return err
			}); err != nil {
				return err
			}
			if len(page) == 0 {
				break
			}
			for _, s := range page {
				line := stone{Tenant: business, Hash: hex.EncodeToString(s.Hash), Kind: s.Kind, ErasedAt: s.ErasedAt.UTC(), Stopped: s.Stopped}
				line.add(sum)
				if err := out.line(line); err != nil {
					return err
				}
				lines, after = lines+1, s.Hash
			}
		}
	}
	gone, err := in.erasedBusinesses(ctx)
	if err != nil {
		return err
	}
	for _, g := range gone {
		if !slices.Contains(businesses, g.Tenant) {
			continue
		}
		line := stone{Tenant: g.Tenant, Kind: wholeBusiness, ErasedAt: g.At.UTC()}
		line.add(sum)
		if err := out.line(line); err != nil {
			return err
		}
		lines++
	}
	end := sealing{Lines: lines, At: time.Now().UTC().Truncate(time.Second)}
	end.MAC = end.seal(sum)

	return out.line(end)
}

func (in *installation) erasedBusinesses(ctx context.Context) (gone []lives.Gone, err error) {
	err = in.db.System(ctx, func(tx *tenants.Tx) error {
		gone, err = lives.Erased(ctx, tx)
		return err
	})

	return gone, err
}

// line prints one object as one line, whether or not JSON was asked for.
func (c *console) line(v any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("write line: %w", err)
	}
	if _, err := c.stdout.Write(append(raw, '\n')); err != nil {
		return fmt.Errorf("write line: %w", err)
	}

	return nil
}

func (in *installation) listSum() hash.Hash {
	return hmac.New(sha256.New, in.keys.Derive("list of erasures"))
}

func (s stone) add(sum hash.Hash) {
	sum.Write(fmt.Appendf(nil, "%s %s %s %s %t\n", s.Tenant, s.Hash, s.Kind, s.ErasedAt.Format(time.RFC3339Nano), s.Stopped))
}

func (e sealing) seal(sum hash.Hash) string {
	sum.Write(fmt.Appendf(nil, "%d %s", e.Lines, e.At.Format(time.RFC3339)))

	return hex.EncodeToString(sum.Sum(nil))
}

// businesses are the ids of one business, or of all.
func (in *installation) businesses(ctx context.Context, slug string) ([]uuid.UUID, error) {
	if slug != "" {
		id, err := in.tenant(ctx, slug)

		return []uuid.UUID{id}, err
	}
	var all []uuid.UUID
	for after := uuid.Nil; ; {
		var page []tenants.Tenant
		if err := in.db.System(ctx, func(tx *tenants.Tx) (err error) {
			page, err = access.Tenants(ctx, tx, after)
			return err
		}); err != nil {
			return nil, err
		}
		if len(page) == 0 {
			return all, nil
		}
		for _, t := range page {
			all, after = append(all, t.ID), t.ID
		}
	}
}

// Run erases again whom the list names, and what businesses, and the database has back.
func (c privacyReplayCmd) Run(ctx context.Context, out *console) (err error) {
	in, err := open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.close()) }()

	list, gone, err := in.readErasures(c.List)
	if err != nil {
		return err
	}
	businesses, err := in.businesses(ctx, "")
	if err != nil {
		return err
	}
	worker := privacy.NewWorker(in.db, in.keys, in.Graph(), out.log)
	actor := access.Command("privacy replay-erasures").Actor
	again, err := lives.NewWorker(in.db, out.log).Again(ctx, actor, gone)
	if err != nil {
		return err
	}
	laid, people, done := 0, 0, 0
	for _, business := range businesses {
		stones := list[business]
		if len(stones) == 0 || slices.Contains(gone, business) {
			continue
		}
		begun, err := worker.Replay(ctx, business, actor, stones)
		if err != nil {
			return err
		}
		laid, people = laid+len(stones), people+len(begun)
		for _, request := range begun {
			finished, err := worker.Finish(ctx, business, request)
			if err != nil && ctx.Err() != nil {
				return err
			}
			// What WhatsApp did not answer to, the background work asks again.
			if finished {
				done++
			}
		}
	}

	return out.answer(map[string]any{"ok": true, "tombstones": laid, "people": people, "done": done, "businesses": again},
		"%d people erased again of %d whom the backup had brought back, by %d tombstones, and %d businesses", done, people, laid, again)
}

// readErasures reads a file of one list or several: the tombstones by business, and the businesses that were erased as a whole. Each list
// must be whole.
func (in *installation) readErasures(path string) (list map[uuid.UUID][]erased.Stone, gone []uuid.UUID, err error) {
	raw, err := os.Open(path)
	if err != nil {
		return nil, nil, fmt.Errorf("read list of erasures: %w", err)
	}
	defer func() { _ = raw.Close() }()

	list = map[uuid.UUID][]erased.Stone{}
	sum, n, sealed := in.listSum(), 0, false
	lines := bufio.NewScanner(raw)
	for lines.Scan() {
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		var line struct {
			stone
			sealing
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			return nil, nil, fmt.Errorf("read list of erasures: a line of %s is none", path)
		}
		if line.MAC != "" {
			if line.Lines != n || !hmac.Equal([]byte(line.MAC), []byte(line.seal(sum))) {
				return nil, nil, fmt.Errorf("the list in %s was changed, or another installation wrote it", path)
			}
			sum, n, sealed = in.listSum(), 0, true
			continue
		}
		if line.Kind == wholeBusiness {
			line.add(sum)
			n, sealed, gone = n+1, false, append(gone, line.Tenant)
			continue
		}
		value, err := hex.DecodeString(line.Hash)
		if err != nil || len(value) != sha256.Size || line.Kind != erased.Identifier && line.Kind != erased.WAMID {
			return nil, nil, fmt.Errorf("read list of erasures: a line of %s is none", path)
		}
		line.add(sum)
		n, sealed = n+1, false
		list[line.Tenant] = append(list[line.Tenant], erased.Stone{Hash: value, Kind: line.Kind, ErasedAt: line.ErasedAt, Stopped: line.Stopped})
	}
	if err := lines.Err(); err != nil {
		return nil, nil, fmt.Errorf("read list of erasures: %w", err)
	}
	if !sealed {
		return nil, nil, fmt.Errorf("the list in %s was cut short: its last line is missing", path)
	}

	return list, gone, nil
}
