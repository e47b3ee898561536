package imports

import "strings"

// A spreadsheet runs a cell that begins like a formula, also a part of a cell that it takes for a cell of its own because of a
// separator or quote in it. An apostrophe in front makes text of it; reading a list takes that apostrophe away again.
const (
	separators = ",;|\t\r\n\""
	dangerous  = "=+-@\t\r＝＋－＠"
)

// Defuse makes a cell safe to open in a spreadsheet.
func Defuse(cell string) string {
	var out strings.Builder
	begins := true
	for i, r := range cell {
		if begins && runs(cell[i:]) {
			out.WriteByte('\'')
		}
		out.WriteRune(r)
		begins = strings.ContainsRune(separators, r)
	}

	return out.String()
}

// Restore is the cell that Defuse was given.
func Restore(cell string) string {
	var out strings.Builder
	begins := true
	for i, r := range cell {
		if begins && r == '\'' && runs(cell[i+1:]) {
			begins = false
			continue
		}
		out.WriteRune(r)
		begins = strings.ContainsRune(separators, r)
	}

	return out.String()
}

// runs tells whether a spreadsheet may take what begins here for a formula.
func runs(part string) bool {
	part = strings.TrimLeft(part, " '")

	return part != "" && strings.ContainsAny(firstRune(part), dangerous)
}

func firstRune(s string) string {
	for i := range s {
		if i > 0 {
			return s[:i]
		}
	}

	return s
}
