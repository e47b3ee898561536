package imports

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/nyaruka/phonenumbers"

	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// Why a row is not taken in. Each is an i18n key under "imports.why_".
const (
	WhyNoHandle      = "no_handle"       // nothing to know the customer by
	WhyPhone         = "bad_phone"       // no phone number
	WhyCountry       = "unknown_country" // no country has this code
	WhySpoiled       = "spoiled_phone"   // a spreadsheet has cut the number short: 9.19E+11
	WhyMasked        = "masked_phone"    // digits are hidden
	WhyBSUID         = "bad_bsuid"       // no WhatsApp ID
	WhyTooLong       = "too_long"        // a name or id longer than can be kept
	WhyUnreadable    = "unreadable"      // characters that could not be read
	WhyOpenQuote     = "open_quote"      // a quotation mark is not closed: what follows is no cell of this row
	WhyErased        = "erased"          // they asked to be erased, and have not written since
	WhyTwice         = "twice"           // an earlier row names the same customer
	WhyTwoPeople     = "two_people"      // the row's handles belong to several customers
	WhyFormer        = "former_phone"    // its holder has left the number
	WhyOtherPhone    = "other_phone"     // known with another phone
	WhyNotTheirs     = "not_theirs"      // the id in the business's system is known without this handle
	WhyOtherSystemID = "other_system_id" // has another id in the business's system
	WhyStayedChanged = "stayed_changed"  // after an undo: changed by somebody since
	WhyStayedWrote   = "stayed_wrote"
	WhyStayedWorked  = "stayed_worked"
	WhyStayedListed  = "stayed_listed" // another list names them too
)

// As much as a contact can keep (identity.Edit).
const (
	maxName           = 200 // characters
	maxExternal       = 200 // bytes
	maxExternalNumber = 50
)

// values are what a row says, read by the mapping. why is set where it cannot be taken in.
type values struct {
	name     string
	phone    string // canonical
	bsuid    string
	external []identity.ExternalID // in the order of columns; the first that is an id, not a username, is compared
	shown    []identity.ExternalID // kept and searched, never compared
	why      string
}

// read reads the cells of a row.
func (m Mapping) read(cells []string) values {
	var v values
	fail := func(why string) {
		if v.why == "" {
			v.why = why
		}
	}
	for i, column := range m.Columns {
		if i >= len(cells) || column == ColumnUnused {
			continue
		}
		cell := clean(Restore(cells[i]))
		if cell == "" {
			continue
		}
		if strings.ContainsRune(cell, unicode.ReplacementChar) {
			fail(WhyUnreadable)
		}
		switch column {
		case ColumnName:
			if len([]rune(cell)) > maxName {
				fail(WhyTooLong)
			}
			v.name = cell
		case ColumnPhone:
			var why string
			if v.phone, why = phoneIn(cell, m.Country); why != "" {
				fail(why)
			}
		case ColumnBSUID:
			if !whatsapp.IsBSUID(cell) {
				fail(WhyBSUID)
			}
			v.bsuid = cell
		case ColumnExternal, ColumnUsername:
			if len(cell) > maxExternal {
				fail(WhyTooLong)
			}
			if column == ColumnUsername {
				v.shown = append(v.shown, identity.ExternalID{System: m.Names[i], Value: strings.TrimPrefix(cell, "@")})
				continue
			}
			v.external = append(v.external, identity.ExternalID{System: m.Names[i], Value: cell})
		}
	}
	if len(v.external)+len(v.shown) > maxExternalNumber {
		fail(WhyTooLong)
	}
	if v.phone == "" && v.bsuid == "" && len(v.external) == 0 {
		fail(WhyNoHandle)
	}

	return v
}

// clean drops what cannot be seen and makes one space of each gap.
func clean(cell string) string {
	return strings.Join(strings.FieldsFunc(strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Cc, r) && !unicode.IsSpace(r) || r == '\u200b' || r == '\u200e' || r == '\u200f' || r == '\ufeff' {
			return -1
		}
		return r
	}, cell), unicode.IsSpace), " ")
}

var (
	spoiled  = regexp.MustCompile(`^\+?[0-9]+([.,][0-9]+)?[eE]\+?[0-9]{1,2}$`)
	fraction = regexp.MustCompile(`\.0+$`)
)

// phoneIn reads a phone as people and spreadsheets write it, or tells why not.
func phoneIn(cell, country string) (phone, why string) {
	if spoiled.MatchString(cell) {
		return "", WhySpoiled
	}
	if strings.ContainsAny(cell, "•*") {
		return "", WhyMasked
	}
	cell = fraction.ReplaceAllString(cell, "")
	if phone, ok := whatsapp.TypedPhone(cell, country); ok {
		return phone, ""
	}
	if _, err := phonenumbers.Parse(cell, country); errors.Is(err, phonenumbers.ErrInvalidCountryCode) {
		return "", WhyCountry
	}

	return "", WhyPhone
}

// ids are the external ids a row brings, by system.
func (v values) ids() map[string]string {
	ids := map[string]string{}
	for _, e := range slices.Concat(v.external, v.shown) {
		ids[e.System] = e.Value
	}

	return ids
}

// key is the first external id as rows are compared by it, "" where there is none.
func (v values) key() string {
	if len(v.external) == 0 {
		return ""
	}

	return v.external[0].System + "\x1f" + v.external[0].Value
}
