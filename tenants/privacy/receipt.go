package privacy

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"
)

// Receipt is what a business can show about a request that is closed. It names nobody.
type Receipt struct {
	Business string         `json:"business"`
	Request  string         `json:"request"`
	Kind     string         `json:"kind"`
	State    string         `json:"state"`
	OpenedAt time.Time      `json:"opened_at"`
	DueAt    time.Time      `json:"due_at"`
	ClosedAt time.Time      `json:"closed_at"`
	ClosedBy string         `json:"closed_by"`
	Proof    string         `json:"proof,omitempty"`
	Reason   string         `json:"reason,omitempty"`
	Fixed    []string       `json:"corrected,omitempty"` // fields
	Objects  bool           `json:"objection_kept,omitempty"`
	Counts   []Count        `json:"removed,omitempty"`
	Left     int            `json:"hashes_kept,omitempty"`    // tombstones of identifiers
	WAMIDs   int            `json:"message_hashes,omitempty"` // tombstones of messages
	Book     map[string]int `json:"contact_book,omitempty"`
	SHA256   string         `json:"sha256,omitempty"` // of this receipt as JSON without it
}

// ReceiptOf is the receipt of a closed request.
func ReceiptOf(business string, r Request) (Receipt, error) {
	receipt := Receipt{
		Business: business, Request: r.ID.String(), Kind: r.Kind, State: r.State, OpenedAt: r.OpenedAt.UTC(), DueAt: r.DueAt.UTC(), ClosedBy: r.ClosedBy,
		Proof: r.Proof, Reason: r.Reason,
	}
	if r.ClosedAt != nil {
		receipt.ClosedAt = r.ClosedAt.UTC()
	}
	var found struct {
		Counts []Count `json:"counts"`
	}
	var outcome struct {
		Tombstones int            `json:"tombstones"`
		Messages   int            `json:"messages"`
		Book       map[string]int `json:"book"`
		Corrected  []string       `json:"corrected"`
	}
	if err := json.Unmarshal(r.Found, &found); err != nil {
		return Receipt{}, fmt.Errorf("read counts: %w", err)
	}
	if err := json.Unmarshal(r.Outcome, &outcome); err != nil {
		return Receipt{}, fmt.Errorf("read outcome: %w", err)
	}
	receipt.Counts, receipt.Left, receipt.WAMIDs, receipt.Book = found.Counts, outcome.Tombstones, outcome.Messages, outcome.Book
	receipt.Fixed, receipt.Objects = outcome.Corrected, r.Kind == Object && r.State == Done
	encoded, err := json.Marshal(receipt)
	if err != nil {
		return Receipt{}, fmt.Errorf("encode receipt: %w", err)
	}
	sum := sha256.Sum256(encoded)
	receipt.SHA256 = hex.EncodeToString(sum[:])

	return receipt, nil
}
