package imports

import (
	"slices"
	"strings"
	"unicode"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// What a column of a list can hold.
const (
	ColumnUnused   = ""
	ColumnName     = "name"
	ColumnPhone    = "phone"
	ColumnBSUID    = "bsuid"    // the WhatsApp ID
	ColumnExternal = "external" // what the business's own system calls the customer
	ColumnUsername = "username" // shown and searched, never compared: usernames can be taken by somebody else
)

// Columns are what a column can hold, as they are offered.
func Columns() []string {
	return []string{ColumnName, ColumnPhone, ColumnBSUID, ColumnExternal, ColumnUsername}
}

// Mapping says how to read a list.
type Mapping struct {
	Headed  bool     `json:"headed"`  // the first row names the columns
	Columns []string `json:"columns"` // what each holds
	Names   []string `json:"names"`   // what each is called: the system's name of an external id
	Country string   `json:"country"` // of phones without a country code, ISO 3166 alpha-2
	Replace bool     `json:"replace"` // a name given here gives way to the list's
}

const maxSystem = 100

// check refuses a mapping that cannot be used.
func (m Mapping) check(widest int) error {
	if len(m.Columns) != widest || len(m.Names) != widest {
		return &tenants.Invalid{Field: "columns", Key: "choice"}
	}
	if len(m.Country) != 2 || strings.Trim(m.Country, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		return &tenants.Invalid{Field: "country", Key: "choice"}
	}
	seen := map[string]bool{}
	for i, c := range m.Columns {
		switch {
		case c == ColumnUnused:
			continue
		case !slices.Contains(Columns(), c):
			return &tenants.Invalid{Field: "columns", Key: "choice"}
		case seen[c] && c != ColumnExternal:
			return &tenants.Invalid{Field: "columns", Key: "column_twice"}
		case c == ColumnExternal && seen["="+m.Names[i]]:
			return &tenants.Invalid{Field: "columns", Key: "system_twice"}
		}
		seen[c], seen["="+m.Names[i]] = true, true
	}
	if !seen[ColumnPhone] && !seen[ColumnBSUID] && !seen[ColumnExternal] {
		return &tenants.Invalid{Field: "columns", Key: "no_handle_column"}
	}

	return nil
}

// headings are words that name a column, in the order in which they are tried. A heading counts without case, spaces and signs.
var headings = []struct {
	column string
	words  []string
}{
	{ColumnBSUID, []string{"bsuid", "whatsappid", "waid", "userid", "businessscoped", "व्हाट्सऐपआईडी", "व्हाट्सएपआईडी"}},
	{ColumnUsername, []string{"username", "handle", "यूज़रनेम", "यूजरनेम"}},
	{ColumnPhone, []string{"phone", "mobile", "mob", "whatsapp", "contactno", "contactnumber", "cell", "telephone", "tel", "फ़ोन", "फोन", "मोबाइल", "व्हाट्सऐप", "व्हाट्सएप"}},
	{ColumnExternal, []string{"externalid", "customerid", "customerno", "customernumber", "customercode", "clientid", "accountno", "accountid", "consumerno", "membershipno", "memberid", "crm", "ग्राहकआईडी", "ग्राहकसंख्या", "ग्राहकनंबर", "ग्राहककोड"}},
	{ColumnName, []string{"name", "customer", "party", "client", "नाम", "ग्राहक"}},
}

// Guess proposes how to read a list from its first rows: by what the columns are called, in English or Hindi, else by what is in
// them. country is that of the business.
func Guess(sample [][]string, country string) Mapping {
	widest := 0
	for _, row := range sample {
		widest = max(widest, len(row))
	}
	m := Mapping{Columns: make([]string, widest), Names: make([]string, widest), Country: country}
	if len(sample) == 0 {
		return m
	}
	m.Headed = !slices.ContainsFunc(sample[0], func(cell string) bool { return looksLike(cell, country) != ColumnUnused })

	taken := map[string]bool{}
	if m.Headed {
		for i, cell := range sample[0] {
			m.Names[i] = clipped(Restore(cell), maxSystem)
			if c := headingOf(cell); c != ColumnUnused && (!taken[c] || c == ColumnExternal) {
				m.Columns[i], taken[c] = c, true
			}
		}
		sample = sample[1:]
	}
	for i := range m.Columns {
		if m.Columns[i] != ColumnUnused {
			continue
		}
		found := map[string]int{}
		for _, row := range sample {
			if i < len(row) {
				found[looksLike(row[i], country)]++
			}
		}
		for _, c := range []string{ColumnBSUID, ColumnPhone} {
			if !taken[c] && found[c] > len(sample)/2 {
				m.Columns[i], taken[c] = c, true
			}
		}
	}
	m.nameUnnamed()

	return m
}

// nameUnnamed gives external ids a system's name where the column has none, so that two never share one.
func (m Mapping) nameUnnamed() {
	for i, name := range m.Names {
		if name == "" {
			m.Names[i] = "id " + ColumnLetter(i)
		}
	}
}

// ColumnLetter is what a spreadsheet calls its column i, counted from 0.
func ColumnLetter(i int) string {
	if i < 26 {
		return string(rune('A' + i))
	}

	return ColumnLetter(i/26-1) + ColumnLetter(i%26)
}

func headingOf(cell string) string {
	word := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.Is(unicode.M, r) {
			return unicode.ToLower(r)
		}
		return -1
	}, cell)
	for _, exact := range []bool{true, false} {
		for _, h := range headings {
			if slices.ContainsFunc(h.words, func(w string) bool { return word == w || !exact && strings.Contains(word, w) }) {
				return h.column
			}
		}
	}

	return ColumnUnused
}

// looksLike tells a phone or WhatsApp ID by its form.
func looksLike(cell, country string) string {
	cell = Restore(cell)
	if whatsapp.IsBSUID(cell) || whatsapp.IsParentBSUID(cell) {
		return ColumnBSUID
	}
	if len(whatsapp.Digits(cell)) >= 8 {
		if _, ok := whatsapp.TypedPhone(cell, country); ok {
			return ColumnPhone
		}
	}

	return ColumnUnused
}

func clipped(s string, runes int) string {
	if r := []rune(s); len(r) > runes {
		return string(r[:runes])
	}

	return s
}
