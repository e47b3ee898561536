package imports

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"github.com/pehchan/pehchan/tenants"
)

const (
	peekBytes  = 64 << 10
	maxRow     = 64 << 10 // bytes of one row: more is a quote that nobody closed
	maxColumns = 200
	// MaxRows is how long a list may be.
	MaxRows = 500_000
)

// unclosed begins the first cell of a row in which a quotation mark is not closed, so that it holds what should be rows of its own. It
// is a character that Unicode keeps for such use; a list that has it there loses it.
const unclosed = "\uFDD0"

// Reader reads the rows of a CSV as spreadsheets write it: UTF-8 with or without a byte order mark, UTF-16, or the old Windows
// encoding; separated by commas, semicolons, tabs or bars; with Windows, Unix or old Mac line ends; quoted cells may hold line breaks.
type Reader struct {
	rows   *csv.Reader
	budget *budget
	Count  int // rows read so far
}

// NewReader looks at the beginning of a list to find out how it is written. What is no CSV is Invalid of the field "file".
func NewReader(r io.Reader) (*Reader, error) {
	raw := bufio.NewReaderSize(r, peekBytes)
	head, err := raw.Peek(peekBytes)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read list: %w", err)
	}
	switch {
	case len(bytes.TrimSpace(head)) == 0:
		return nil, bad("empty_file")
	case bytes.HasPrefix(head, []byte("PK\x03\x04")) || bytes.HasPrefix(head, []byte("\xD0\xCF\x11\xE0")):
		return nil, bad("is_workbook")
	}

	text := bufio.NewReaderSize(&lineEnds{r: bufio.NewReaderSize(decode(raw, head), peekBytes)}, peekBytes)
	first, err := text.Peek(peekBytes)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read list: %w", err)
	}
	if bytes.IndexByte(first, 0) >= 0 {
		return nil, bad("not_text")
	}

	separator, named := separatorOf(string(first))
	if named {
		if _, err := text.ReadString('\n'); err != nil && !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("read list: %w", err)
		}
	}
	b := &budget{r: text}
	rows := csv.NewReader(b)
	rows.Comma, rows.LazyQuotes, rows.FieldsPerRecord, rows.ReuseRecord = separator, true, -1, true

	return &Reader{rows: rows, budget: b}, nil
}

func bad(key string) error { return &tenants.Invalid{Field: "file", Key: key} }

// Next returns the next row, cells without space around them, or io.EOF. The slice is the reader's until the next call.
func (r *Reader) Next() ([]string, error) {
	for {
		r.budget.left = maxRow + 4096 // what the csv reader reads ahead
		cells, err := r.rows.Read()
		switch {
		case errors.Is(err, io.EOF):
			return nil, io.EOF
		case errors.Is(err, errRowTooLong):
			return nil, bad("open_quote")
		case err != nil:
			return nil, fmt.Errorf("read row: %w", err)
		case len(cells) > maxColumns:
			return nil, bad("too_many_columns")
		case r.Count >= MaxRows:
			return nil, bad("too_many_rows")
		}

		empty := true
		for i, c := range cells {
			if strings.IndexByte(c, 0) >= 0 {
				return nil, bad("not_text")
			}
			cells[i] = strings.TrimSpace(strings.ToValidUTF8(c, "\uFFFD"))
			empty = empty && cells[i] == ""
		}
		cells[0] = strings.TrimLeft(cells[0], unclosed)
		if r.budget.quotesTo(r.rows.InputOffset())%2 == 1 && slices.ContainsFunc(cells, func(c string) bool { return strings.Contains(c, "\n") }) {
			cells[0] = unclosed + cells[0]
		}
		if !empty {
			r.Count++
			return cells, nil
		}
	}
}

// decode reads UTF-8 out of what the head of the list shows it to be.
func decode(r io.Reader, head []byte) io.Reader {
	switch {
	case bytes.HasPrefix(head, []byte("\xEF\xBB\xBF")):
		return transform.NewReader(r, unicode.UTF8BOM.NewDecoder())
	case bytes.HasPrefix(head, []byte("\xFF\xFE")) || bytes.HasPrefix(head, []byte("\xFE\xFF")):
		return transform.NewReader(r, unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewDecoder())
	case len(head) > 3 && head[1] == 0 && head[3] == 0:
		return transform.NewReader(r, unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM).NewDecoder())
	case len(head) > 3 && head[0] == 0 && head[2] == 0:
		return transform.NewReader(r, unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM).NewDecoder())
	}

	// The head may end in the middle of a character.
	whole := head
	for i := 0; i < utf8.UTFMax && len(whole) > 0 && !utf8.Valid(whole); i++ {
		whole = whole[:len(whole)-1]
	}
	if !utf8.Valid(whole) {
		return transform.NewReader(r, charmap.Windows1252.NewDecoder())
	}

	return r
}

// separatorOf finds what stands most often between the cells of the first row. named: the first row says so, as Excel's "sep=;" does.
func separatorOf(text string) (separator rune, named bool) {
	line, _, _ := strings.Cut(text, "\n")
	if rest, ok := strings.CutPrefix(strings.TrimSuffix(line, "\r"), "sep="); ok && len(rest) == 1 && strings.Contains(",;\t|", rest) {
		return rune(rest[0]), true
	}

	counts, quoted := map[rune]int{}, false
	for _, c := range text {
		switch {
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '\n':
			return most(counts), false
		case strings.ContainsRune(",;\t|", c):
			counts[c]++
		}
	}

	return most(counts), false
}

func most(counts map[rune]int) rune {
	best := ','
	for _, c := range ";\t|" {
		if counts[c] > counts[best] {
			best = c
		}
	}

	return best
}

var errRowTooLong = errors.New("row is too long")

// budget fails a read once more bytes were asked for than one row may hold.
type budget struct {
	r    io.Reader
	left int

	read   int64   // bytes so far
	quotes []int64 // where quotation marks stand that are of no row yet
}

// quotesTo counts the quotation marks up to where a row ends, from where the one before it did.
func (b *budget) quotesTo(end int64) int {
	n := 0
	for n < len(b.quotes) && b.quotes[n] < end {
		n++
	}
	b.quotes = b.quotes[:copy(b.quotes, b.quotes[n:])]

	return n
}

func (b *budget) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errRowTooLong
	}
	n, err := b.r.Read(p[:min(len(p), b.left)])
	b.left -= n
	for i, c := range p[:n] {
		if c == '"' {
			b.quotes = append(b.quotes, b.read+int64(i))
		}
	}
	b.read += int64(n)

	return n, err //nolint:wrapcheck // io.EOF must stay itself
}

// lineEnds turns a carriage return that no line feed follows, the line end of old Macs, into a line feed.
type lineEnds struct{ r *bufio.Reader }

func (l *lineEnds) Read(p []byte) (int, error) {
	n, err := l.r.Read(p)
	for i := range n {
		if p[i] != '\r' {
			continue
		}
		next := byte(0)
		if i+1 < n {
			next = p[i+1]
		} else if ahead, peekErr := l.r.Peek(1); peekErr == nil {
			next = ahead[0]
		}
		if next != '\n' {
			p[i] = '\n'
		}
	}

	return n, err //nolint:wrapcheck // io.EOF must stay itself
}
