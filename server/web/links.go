package web

import (
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/identity"
)

// MayUndo tells whether a member may take a link back: their own, or anybody's with the right to.
func MayUndo(m access.Member, l identity.Link) bool {
	own := l.Rule != "" || l.ActorKind == m.Actor.Kind && l.ActorID == m.Actor.ID // what a rule did is nobody else's

	return m.Can("merges:undo_any") || m.Can("merges:undo_own") && own
}
