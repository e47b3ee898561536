package inbox

import (
	"time"

	"github.com/pehchan/pehchan/views/components"
	"github.com/pehchan/pehchan/views/layout"
	"github.com/pehchan/pehchan/views/people"
)

// LinkCode makes a code for somebody who has a phone, to be sent there, and lists those made before. It posts to /contacts/{id}/code
// (phone, number, kind=once|printed), which answers with the code, shown this once; one is taken back at /contacts/{id}/code/{code}/revoke.
type LinkCode struct {
	Frame   layout.Frame
	Now     time.Time
	Who     people.Someone
	Phones  []components.Option // of theirs, by identifier; none where no phone is known
	Numbers []components.Option // of the business, which the code comes back to
	Form    components.Filled
	Made    *MadeCode
	Past    []CodeLine
}

// MadeCode is a code just made.
type MadeCode struct {
	Text string
	Kind string
	For  string        // the phone
	Ends time.Time     // zero for never
	Link string        // opens WhatsApp with the code written; empty without a number to write to
	QR   components.QR // of the link
}

// CodeLine is a code made before.
type CodeLine struct {
	Kind   string
	State  string // live, used, expired or revoked
	For    string
	By     string
	At     time.Time
	Ends   time.Time
	Used   time.Time // when it first came back; zero for never
	UsedBy string    // address of the contact it came from
	Revoke string    // where it is taken back; empty where it counts no more
}

func (l CodeLine) tone() components.Tone {
	switch l.State {
	case "live":
		return components.Info
	case "used":
		return components.Good
	}
	return components.Neutral
}

func (p LinkCode) href() string { return p.Who.Href() + "/code" }
