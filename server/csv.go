package server

import (
	"bufio"
	"context"
	"encoding/csv"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/imports"
	"github.com/pehchan/pehchan/views/i18n"
)

func csvAnswer(c *fiber.Ctx, name string) {
	c.Set(fiber.HeaderContentType, "text/csv; charset=utf-8")
	c.Set(fiber.HeaderContentDisposition, `attachment; filename="`+name+`"`)
}

// importProblems gives out the rows that were left out, with the reason of each, to be corrected and uploaded again.
func (s *Server) importProblems(c *fiber.Ctx) error {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return tenants.ErrNotFound
	}
	ctx, m := c.UserContext(), member(c)
	var (
		i    imports.Import
		head []string
	)
	err = s.db.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		if i, err = imports.Get(ctx, tx, id); err != nil {
			return err
		}
		sample, err := imports.Sample(ctx, tx, id)
		if err == nil && len(sample) > 0 && i.Mapping.Headed {
			head = sample[0]
		}
		return err
	})
	if err != nil {
		return err
	}

	e := listEyes(m, i)
	head = append(append(make([]string, 0, i.Widest+2), head...), make([]string, i.Widest-len(head))...)
	head = append(head, i18n.T(ctx, "imports.row"), i18n.T(ctx, "imports.problem"))
	csvAnswer(c, "pehchan-rows.csv")
	s.streamCSV(c, func(ctx context.Context, out *csv.Writer, alive func() error) error {
		if err := writeLine(out, e, head); err != nil {
			return err
		}
		for after, more := 0, true; more; {
			if err := alive(); err != nil {
				return err
			}
			var list []imports.Problem
			err := s.db.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) (err error) {
				list, err = imports.Problems(ctx, tx, id, after, 500)
				return err
			})
			if err != nil {
				return err
			}
			for _, p := range list {
				why := i18n.T(ctx, "imports.why_"+p.Why)
				if p.OtherRow != nil {
					why = i18n.T(ctx, "imports.why_twice_of", "row", *p.OtherRow)
				}
				cells := append(append(make([]string, 0, i.Widest+2), p.Cells...), make([]string, i.Widest-len(p.Cells))...)
				if err := writeLine(out, e, append(cells, strconv.Itoa(p.Row), why)); err != nil {
					return err
				}
				after = p.Row
			}
			more = len(list) == 500
			if out.Flush(); out.Error() != nil {
				return out.Error() //nolint:wrapcheck // the reader has left
			}
		}

		return nil
	})

	return nil
}

func writeLine(out *csv.Writer, e eyes, cells []string) error {
	safe := make([]string, len(cells))
	for i, cell := range cells {
		safe[i] = imports.Defuse(e.words(cell))
	}

	return out.Write(safe) //nolint:wrapcheck // the reader has left
}

// streamCSV answers with a file that is written while it is read, however long that takes: only a reader who takes nothing for a
// while is given up. write must call alive between parts.
func (s *Server) streamCSV(c *fiber.Ctx, write func(ctx context.Context, out *csv.Writer, alive func() error) error) {
	conn, ctx := c.Context().Conn(), context.WithoutCancel(c.UserContext())
	c.Context().SetBodyStreamWriter(func(w *bufio.Writer) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		alive := func() error { return conn.SetWriteDeadline(time.Now().Add(writeLimit)) }
		_, err := w.WriteString("\uFEFF")
		if err == nil {
			err = write(ctx, csv.NewWriter(w), alive)
		}
		if err != nil {
			// The answer has begun, so all that can be said is that it is not whole.
			s.log.Warn("file not written to its end", "error", err, "request", requestID(ctx))
			_ = conn.Close()
		}
	})
}
