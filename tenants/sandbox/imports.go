package sandbox

import (
	"encoding/csv"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
)

// ContactRow is one line of the business's own list of customers, as dirty as such lists are.
type ContactRow struct {
	Person     string   // whose it really is; not part of the list
	Means      string   // the phone that Phone means, "" where it is spoilt; not part of the list
	Spelling   Spelling // of the name; not part of the list
	ExternalID string
	Name       string
	Phone      string
	BSUID      string
}

const (
	shareListed    = 0.60 // of the people
	shareListBSUID = 0.10
	shareListTwice = 0.05
)

// Contacts is the business's list of customers as it was when the world began: phones in every format, names in the owner's
// spelling, some lines twice and some of no use. It says nothing that happened later.
func (w *World) Contacts() []ContactRow {
	rng := rand.New(rand.NewPCG(uint64(w.options.Seed), 0xc0117ac7))
	var rows []ContactRow
	for i, p := range w.people {
		first, bsuid := p.firstShown("phone"), p.firstShown("bsuid")
		if rng.Float64() >= shareListed || first == "" || p.heir {
			continue // who took over a phone came later
		}
		row := ContactRow{Person: p.id, Means: first, Spelling: p.name.saved(rng), ExternalID: fmt.Sprintf("C-%05d", 10_000+i), Phone: typed(rng, first)}
		row.Name = row.Spelling.Text
		if rng.Float64() < shareListBSUID && !w.options.Calendar {
			row.BSUID = bsuid
		}
		switch rng.IntN(25) {
		case 0:
			row.Phone, row.Means = fmt.Sprintf("%sE+11", first[:1]+"."+first[1:3]), "" // as a spreadsheet spoils it
		case 1:
			row.Phone, row.Means = "", ""
		case 2:
			row.Phone, row.Means = first[:8], ""
		}
		rows = append(rows, row)
		if rng.Float64() < shareListTwice {
			row.ExternalID += "-2"
			row.Spelling = p.name.saved(rng)
			row.Name = row.Spelling.Text
			rows = append(rows, row)
		}
	}
	return rows
}

func (p *person) firstShown(kind string) string {
	for _, shown := range p.shown {
		if shown.Kind == kind {
			return shown.Value
		}
	}
	return ""
}

// WriteContacts writes the list as CSV with a head line.
func WriteContacts(to io.Writer, rows []ContactRow) error {
	out := csv.NewWriter(to)
	lines := [][]string{{"Customer ID", "Name", "Mobile", "WhatsApp ID"}}
	for _, r := range rows {
		lines = append(lines, []string{r.ExternalID, r.Name, r.Phone, r.BSUID})
	}
	if err := out.WriteAll(lines); err != nil {
		return fmt.Errorf("write contacts: %w", err)
	}
	return nil
}

// typed writes an Indian phone in one of the ways people do.
func typed(rng *rand.Rand, phone string) string {
	local := strings.TrimPrefix(phone, "91")
	return pick(rng, []string{
		local, "+" + phone, "+91 " + local[:5] + " " + local[5:], "0" + local, "91-" + local, local[:5] + "-" + local[5:],
	})
}
