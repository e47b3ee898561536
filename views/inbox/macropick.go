package inbox

import (
	"github.com/pehchan/pehchan/views/answers"
	"github.com/pehchan/pehchan/views/components"
)

// MacroPick is the choice of macros in a composer.
type MacroPick struct {
	Open      bool
	Lang      string
	Names     []components.Option
	Languages []components.Option
	Chosen    answers.Macro // Key is empty for none
	Fields    []Param       // variables that are typed
}

// macroHref asks for the choice of macros in a composer.
func (c Composer) macroHref(p Talk) string { return c.href(p, "") + "&macro=pick#write" }
