package migrations

import (
	_ "embed"
	"strings"
)

//go:embed record.tsv
var record string

// Column is a column of the schema that can hold words or bytes, and what it holds of people: id (what WhatsApp names a customer by),
// names, words (what was said), about (what the business writes down of them), trace (what follows from these), sealed (encrypted or
// hashed), staff (people who work here), secret (keys and proofs), or none.
type Column struct{ Table, Name, Holds string }

// Holds are the kinds of personal data in the order they are shown.
var Holds = []string{"id", "names", "words", "about", "trace", "sealed", "staff", "secret"}

// Record is the record of what each column holds. A test compares it with the schema, so a column that nobody has thought about fails the
// build.
func Record() []Column {
	var list []Column
	for line := range strings.Lines(record) {
		place, holds, _ := strings.Cut(strings.TrimSpace(line), "\t")
		table, name, _ := strings.Cut(place, ".")
		list = append(list, Column{table, name, holds})
	}

	return list
}
