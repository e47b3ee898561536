package imports

import (
	"context"
	"encoding/csv"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/identity"
)

// Export says which contacts to give out, and how.
type Export struct {
	Query string   // as in identity.List
	Reach string   // as in identity.ListReach; not with a Query
	Clear bool     // phones in clear, else all digits but the last four are hidden
	Heads []string // what to call name, phone, WhatsApp ID, username and last message, in this order
	Zone  *time.Location
	Mask  func(text string) string // hides phones in what people wrote; not called where Clear
	Alive func() error             // called before each page of rows, for a write deadline; may be nil

	// Saw is told of the contacts of each page, to be written down with it; may be nil.
	Saw func(ctx context.Context, tx *tenants.Tx, contacts []identity.Contact) error
}

const exportRows = 500

// Write writes the contacts as CSV that spreadsheets open as it is, no cell a formula. Each page of
// rows is read and written before the next, so any number of contacts needs the same memory. It returns how many were written.
func (e Export) Write(ctx context.Context, db *tenants.DB, tenant uuid.UUID, out *csv.Writer) (int, error) {
	var systems []string
	if err := db.As(ctx, tenant, func(tx *tenants.Tx) (err error) {
		systems, err = identity.ExternalSystems(ctx, tx)
		return err
	}); err != nil {
		return 0, err
	}
	if err := e.line(out, append(append([]string{}, e.Heads...), systems...)); err != nil {
		return 0, err
	}

	n, cursor := 0, place{}
	for more := true; more; {
		if e.Alive != nil {
			if err := e.Alive(); err != nil {
				return n, err
			}
		}
		var contacts []identity.Contact
		err := db.As(ctx, tenant, func(tx *tenants.Tx) (err error) {
			if contacts, more, err = e.page(ctx, tx, &cursor); err != nil || e.Saw == nil {
				return err
			}
			return e.Saw(ctx, tx, contacts)
		})
		if err != nil {
			return n, err
		}
		for _, c := range contacts {
			if err := e.line(out, e.row(c, systems)); err != nil {
				return n, err
			}
			n++
		}
		if out.Flush(); out.Error() != nil {
			return n, fmt.Errorf("write export: %w", out.Error())
		}
	}

	return n, nil
}

type place struct {
	after uuid.UUID
	next  string
}

func (e Export) page(ctx context.Context, tx *tenants.Tx, at *place) (list []identity.Contact, more bool, err error) {
	if strings.TrimSpace(e.Query) != "" {
		list, at.next, err = identity.List(ctx, tx, e.Query, identity.Page{Limit: 200, Cursor: at.next})
		return list, at.next != "", err
	}

	list, err = identity.Walk(ctx, tx, e.Reach, at.after, exportRows)
	if len(list) > 0 {
		at.after = list[len(list)-1].ID
	}

	return list, len(list) == exportRows, err
}

func (e Export) line(out *csv.Writer, cells []string) error {
	for i := range cells {
		cells[i] = Defuse(strings.ReplaceAll(cells[i], "\x00", ""))
	}
	if err := out.Write(cells); err != nil {
		return fmt.Errorf("write export: %w", err)
	}

	return nil
}

func (e Export) row(c identity.Contact, systems []string) []string {
	words := func(text string) string {
		if e.Clear {
			return text
		}
		return e.Mask(text)
	}
	phone := c.Phone()
	switch {
	case phone == "":
	case e.Clear:
		phone = "+" + phone
	default:
		phone = strings.Repeat("•", max(0, len(phone)-4)) + phone[max(0, len(phone)-4):]
	}
	last := ""
	if !c.LastAt.IsZero() {
		last = c.LastAt.In(e.Zone).Format("2006-01-02 15:04")
	}

	cells := []string{words(c.Name()), phone, c.BSUID(), c.Username(), last}
	for _, s := range systems {
		cells = append(cells, words(c.ExternalIDs[s]))
	}

	return cells
}
