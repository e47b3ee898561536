package web

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/pehchan/pehchan/tenants/imports"
)

// CSVAnswer makes the answer a file of that name to be kept.
func CSVAnswer(c *fiber.Ctx, name string) {
	c.Set(fiber.HeaderContentType, "text/csv; charset=utf-8")
	c.Set(fiber.HeaderContentDisposition, `attachment; filename="`+name+`"`)
}

// WriteLine writes one row; no cell is a formula, and none holds a phone that must not be seen.
func WriteLine(out *csv.Writer, e Eyes, cells []string) error {
	safe := make([]string, len(cells))
	for i, cell := range cells {
		safe[i] = imports.Defuse(e.Words(cell))
	}

	return out.Write(safe) //nolint:wrapcheck // the reader has left
}

// ShowCSV answers with a short file of counts, its headings in the reader's language. A line without cells is left empty.
func ShowCSV(c *fiber.Ctx, name string, lines [][]string) error {
	var body bytes.Buffer
	body.WriteString("\uFEFF")
	out := csv.NewWriter(&body)
	for _, cells := range lines {
		if err := WriteLine(out, Eyes{Clear: true}, cells); err != nil {
			return err
		}
	}
	out.Flush()
	CSVAnswer(c, name)

	return c.Send(body.Bytes())
}

// Figures is a line of a file: what is counted, and counts.
func Figures(label string, counts ...int64) []string {
	line := []string{label}
	for _, n := range counts {
		line = append(line, strconv.FormatInt(n, 10))
	}

	return line
}

// StreamCSV answers with a file that is written while it is read, however long that takes: only a reader who takes nothing for a
// while is given up. write must call alive between parts.
func (s *Site) StreamCSV(c *fiber.Ctx, write func(ctx context.Context, out *csv.Writer, alive func() error) error) {
	conn, ctx := c.Context().Conn(), context.WithoutCancel(c.UserContext())
	c.Context().SetBodyStreamWriter(func(w *bufio.Writer) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		alive := func() error { return conn.SetWriteDeadline(time.Now().Add(WriteLimit)) }
		_, err := w.WriteString("\uFEFF")
		if err == nil {
			err = write(ctx, csv.NewWriter(w), alive)
		}
		if err != nil {
			// The answer has begun, so all that can be said is that it is not whole.
			s.Log.Warn("file not written to its end", "error", err, "request", RequestID(ctx))
			_ = conn.Close()
		}
	})
}
