package numbers

import (
	"github.com/pehchan/pehchan/views/components"
	"github.com/pehchan/pehchan/views/layout"
)

// PhoneFree is the page on which a number is told to keep no phones, or to keep them again.
type PhoneFree struct {
	Frame  layout.Frame
	Number Number
	Form   components.Filled
}

func (n Number) phoneFreeAt() string { return "/numbers/" + n.ID + "/phone-free" }

// phoneFreeWords are the i18n keys of what it means, and of what it does not.
var (
	phoneFreeMeans = []string{"phonefree.not_kept", "phonefree.known_again", "phonefree.reply", "phonefree.digits", "phonefree.not_asked", "phonefree.raw", "phonefree.before"}
	phoneFreeNot   = []string{"phonefree.not_lists", "phonefree.not_others", "phonefree.not_files", "phonefree.not_backups"}
)
