package sandbox

import (
	"net/http"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// Endings of a wanted username that make the sandbox answer in a way, so that every answer of Meta's can be had on purpose.
const (
	NameTaken        = "_taken"        // 147001
	NameLimit        = "_limit"        // 147002
	NamePage         = "_page"         // 147003
	NameInsta        = "_insta"        // 147004
	NameUnregistered = "_unregistered" // 133010
	NamePermission   = "_permission"   // 10
	NameGone         = "_gone"         // 33
	NameBusy         = "_busy"         // 4, nothing done
	NameReview       = "_review"       // reserved, not approved
	NameBroken       = "_broken"       // a failure without a code, nothing done
	NameLost         = "_lost"         // done, and the connection is cut before the answer
	NameOdd          = "_odd"          // done, and the answer holds no status that is known
	NameKept         = "_kept"         // is to be had, and is not deleted when asked
)

// refusedNames are the refusals by ending. 147005 needs no ending: it comes where another number of the portfolio has the name.
var refusedNames = map[string]graphError{
	NameTaken:        {http.StatusBadRequest, whatsapp.CodeUsernameTaken, 0, "(#147001) This username is not available."},
	NameLimit:        {http.StatusBadRequest, whatsapp.CodeUsernameLimit, 0, "(#147002) The business portfolio does not have the messaging limit that a username needs."},
	NamePage:         {http.StatusBadRequest, whatsapp.CodeUsernameFacebook, 0, "(#147003) Link the Facebook Page that holds this username."},
	NameInsta:        {http.StatusBadRequest, whatsapp.CodeUsernameInstagram, 0, "(#147004) Link the Instagram account that holds this username."},
	NameUnregistered: {http.StatusBadRequest, 133010, 0, "(#133010) The phone number is not registered."},
	NamePermission:   errPermission,
	NameGone:         errDeleted,
	NameBusy:         {http.StatusBadRequest, 4, 0, "(#4) Application request limit reached"},
}

var errOwnName = graphError{http.StatusBadRequest, whatsapp.CodeUsernameOwn, 0, "(#147005) This username belongs to another phone number of your business."}

// ownNames are the usernames of the sandbox's numbers, by phone number id.
type ownNames struct {
	mu sync.Mutex
	of map[string]whatsapp.NumberUsername
}

// nameShape is the rule in one piece, apart from endings. Source: domain facts 2.4.
var nameShape = regexp.MustCompile(`^[a-z0-9_](?:\.?[a-z0-9_])*$`)

func nameAllowed(name string) bool {
	if len(name) < 3 || len(name) > 35 || strings.HasPrefix(name, "www") || !strings.ContainsAny(name, "abcdefghijklmnopqrstuvwxyz") {
		return false
	}
	for _, end := range []string{".com", ".org", ".net", ".int", ".edu", ".gov", ".mil", ".us", ".in", ".html"} {
		if strings.HasSuffix(name, end) {
			return false
		}
	}

	return nameShape.MatchString(name)
}

// ownName answers whose number it is before a call about its username: ok is false where it was refused.
func (g *Graph) ownName(w http.ResponseWriter, r *http.Request, id string) (number Number, ok bool) {
	if !allowed(w, r, scopeManage, errPermission) {
		return Number{}, false
	}
	if id == known.Deleted {
		refuse(w, errDeleted)
		return Number{}, false
	}
	if number, ok = numberByID(id); !ok {
		refuse(w, errUnknownID)
	}

	return number, ok
}

func (g *Graph) readName(w http.ResponseWriter, r *http.Request, id string) {
	number, ok := g.ownName(w, r, id)
	if !ok {
		return
	}
	g.names.mu.Lock()
	have, has := g.names.of[number.PhoneNumberID]
	g.names.mu.Unlock()
	if !has {
		answer(w, object{"status": ""})
		return
	}
	answer(w, object{"username": have.Name, "status": have.Status})
}

func (g *Graph) claimName(w http.ResponseWriter, r *http.Request, id string) {
	number, ok := g.ownName(w, r, id)
	if !ok {
		return
	}
	var body struct {
		Name     string `json:"username"`
		Transfer string `json:"transfer_action"`
	}
	if !read(w, r, &body) {
		return
	}
	name := strings.ToLower(body.Name)
	if !nameAllowed(name) || body.Transfer != "" && body.Transfer != "none" && body.Transfer != "force_transfer" {
		refuse(w, errParameter("Invalid parameter"))
		return
	}
	for end, refused := range refusedNames {
		if strings.HasSuffix(name, end) {
			refuse(w, refused)
			return
		}
	}
	if strings.HasSuffix(name, NameBroken) {
		w.WriteHeader(http.StatusBadGateway)
		return
	}

	status := whatsapp.UsernameApproved
	if strings.HasSuffix(name, NameReview) {
		status = whatsapp.UsernameReserved
	}
	refused, told := g.take(number, name, status, body.Transfer == "force_transfer")
	if refused != nil {
		refuse(w, *refused)
		return
	}
	g.tellNames(told...)
	switch {
	case strings.HasSuffix(name, NameLost):
		panic(http.ErrAbortHandler)
	case strings.HasSuffix(name, NameOdd):
		answer(w, object{"status": "pending_review"})
	default:
		answer(w, object{"status": status})
	}
}

// take gives a number a name, from another number of its portfolio where that is forced. told are the webhooks that say so.
func (g *Graph) take(number Number, name, status string, force bool) (refused *graphError, told []object) {
	g.names.mu.Lock()
	defer g.names.mu.Unlock()
	for id, have := range g.names.of {
		if have.Name != name || id == number.PhoneNumberID {
			continue
		}
		holder, _ := numberByID(id)
		switch {
		case holder.PortfolioID != number.PortfolioID:
			taken := refusedNames[NameTaken]
			return &taken, nil
		case !force:
			return &errOwnName, nil
		}
		delete(g.names.of, id)
		told = append(told, nameTold(holder, "", whatsapp.UsernameDeleted))
	}
	if g.names.of == nil {
		g.names.of = map[string]whatsapp.NumberUsername{}
	}
	g.names.of[number.PhoneNumberID] = whatsapp.NumberUsername{Name: name, Status: status}

	return nil, append(told, nameTold(number, name, status))
}

func (g *Graph) deleteName(w http.ResponseWriter, r *http.Request, id string) {
	number, ok := g.ownName(w, r, id)
	if !ok {
		return
	}
	g.names.mu.Lock()
	have, has := g.names.of[number.PhoneNumberID]
	keeps := !has || strings.HasSuffix(have.Name, NameKept)
	if !keeps {
		delete(g.names.of, number.PhoneNumberID)
	}
	g.names.mu.Unlock()
	if !keeps {
		g.tellNames(nameTold(number, "", whatsapp.UsernameDeleted))
	}
	answer(w, object{"success": !keeps})
}

// suggestNames are names held for the portfolio of a number: made of what it is called, those that nobody has.
func (g *Graph) suggestNames(w http.ResponseWriter, r *http.Request, id string) {
	number, ok := g.ownName(w, r, id)
	if !ok {
		return
	}
	words := strings.Fields(strings.ToLower(number.VerifiedName))
	list := []string{}
	g.names.mu.Lock()
	for _, name := range []string{strings.Join(words, ""), strings.Join(words, ".")} {
		free := true
		for _, have := range g.names.of {
			free = free && have.Name != name
		}
		if free {
			list = append(list, name)
		}
	}
	g.names.mu.Unlock()
	answer(w, object{"data": []object{{"username_suggestions": list}}})
}

// nameTold is a webhook about a username. It names the number by its phone alone. Source: domain facts 3.7.
func nameTold(number Number, name, status string) object {
	value := object{"display_phone_number": number.DisplayPhone, "status": status}
	set(value, "username", name)

	return object{"object": "whatsapp_business_account", "entry": []object{{
		"id": number.WABAID, "time": time.Now().Unix(), "changes": []object{{"field": "business_username_updates", "value": value}},
	}}}
}

// tellNames delivers such webhooks, to the app's own callback always: an override does not get them. Source: domain facts 9.1.
func (g *Graph) tellNames(told ...object) {
	if g.options.CallbackURL == "" || len(g.options.AppSecret) == 0 {
		return
	}
	g.deliveries.Go(func() {
		for _, body := range told {
			select {
			case <-g.stop:
				return
			case <-time.After(g.options.Pace):
			}
			g.deliver(g.options.CallbackURL, encode(body))
		}
	})
}
