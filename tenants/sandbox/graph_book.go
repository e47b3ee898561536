package sandbox

import (
	"net/http"

	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// contactBook deletes one entry of a portfolio's contact book. The sandbox's book holds everybody once: who was deleted is not in it a
// second time.
func (g *Graph) contactBook(w http.ResponseWriter, r *http.Request, phoneNumberID string) {
	if !allowed(w, r, scopeSend, errPermission) {
		return
	}
	number, ok := numberByID(phoneNumberID)
	bsuid := r.URL.Query().Get("bsuid")
	switch {
	case !ok:
		refuse(w, errUnknownID)
		return
	case r.URL.Query().Get("messaging_product") != "whatsapp":
		refuse(w, errParameter("messaging_product must be whatsapp"))
		return
	case !whatsapp.IsBSUID(bsuid):
		refuse(w, errParameter("bsuid is not valid"))
		return
	}

	g.mu.Lock()
	defer g.mu.Unlock()
	entry := number.PortfolioID + " " + bsuid
	deleted := !g.unbooked[entry]
	g.unbooked[entry] = true
	answer(w, object{"messaging_product": "whatsapp", "success": true, "deleted": deleted})
}
