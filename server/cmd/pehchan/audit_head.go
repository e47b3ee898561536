package main

import (
	"bufio"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/pehchan/pehchan/tenants"
)

type auditHeadCmd struct {
	Tenant string `help:"Slug of a business; without it, the platform's chain and every business's."`
}

// head is where a chain ended at a time. Kept outside the database it shows a chain that was cut or written anew since, which verifying
// alone cannot.
type head struct {
	Chain string    `json:"chain"`
	Seq   int64     `json:"seq"`
	Hash  string    `json:"hash"`
	At    time.Time `json:"at"`
	MAC   string    `json:"mac"` // by the master key, so that nobody makes one up
}

// Run prints a line of JSON for each chain.
func (c auditHeadCmd) Run(ctx context.Context, out *console) (err error) {
	in, err := open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.close()) }()

	chains, err := in.chains(ctx, c.Tenant)
	if err != nil {
		return err
	}
	for _, chain := range chains {
		var seq int64
		var hash []byte
		err := chain.enter(ctx, func(tx *tenants.Tx) (err error) {
			seq, hash, err = tenants.AuditHead(ctx, tx)
			return err
		})
		if err != nil {
			return err
		}
		h := head{Chain: chain.name, Seq: seq, Hash: hex.EncodeToString(hash), At: time.Now().UTC().Truncate(time.Second)}
		h.MAC = in.sign(h)
		line, err := json.Marshal(h)
		if err != nil {
			return fmt.Errorf("write head: %w", err)
		}
		said := map[string]any{"chain": h.Chain, "seq": h.Seq, "hash": h.Hash, "at": h.At, "mac": h.MAC}
		if err := out.answer(said, "%s", line); err != nil {
			return err
		}
	}

	return nil
}

func (in *installation) sign(h head) string {
	mac := hmac.New(sha256.New, in.keys.Derive("audit heads"))
	mac.Write(fmt.Appendf(nil, "%s\n%d\n%s\n%s", h.Chain, h.Seq, h.Hash, h.At.Format(time.RFC3339)))

	return hex.EncodeToString(mac.Sum(nil))
}

// readHeads reads a file of heads, the latest of each chain; none where there is no file.
func (in *installation) readHeads(path string) (map[string]head, error) {
	heads := map[string]head{}
	if path == "" {
		return heads, nil
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read heads: %w", err)
	}
	defer func() { _ = file.Close() }()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var h head
		if err := json.Unmarshal(lines.Bytes(), &h); err != nil {
			return nil, fmt.Errorf("read heads: a line of %s is none", path)
		}
		if !hmac.Equal([]byte(h.MAC), []byte(in.sign(h))) {
			return nil, fmt.Errorf("the head of %s in %s was not written by this installation", h.Chain, path)
		}
		if h.Seq >= heads[h.Chain].Seq {
			heads[h.Chain] = h
		}
	}

	return heads, nil
}

// holds tells whether what a head names stands in the chain.
func (c chain) holds(ctx context.Context, h head) error {
	if h.Seq == 0 {
		return nil
	}

	return c.enter(ctx, func(tx *tenants.Tx) error {
		hash, err := tenants.AuditHash(ctx, tx, h.Seq)
		if errors.Is(err, tenants.ErrNotFound) {
			return fmt.Errorf("the audit chain of %s has lost its end: entry %d is gone", c.name, h.Seq)
		}
		if err != nil {
			return err
		}
		if hex.EncodeToString(hash) != h.Hash {
			return fmt.Errorf("the audit chain of %s was written anew: entry %d is another", c.name, h.Seq)
		}

		return nil
	})
}
