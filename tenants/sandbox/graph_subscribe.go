package sandbox

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"slices"
)

func (g *Graph) listSubscribed(w http.ResponseWriter, r *http.Request, waba string) {
	if !allowed(w, r, scopeManage, errPermission) {
		return
	}
	if _, ok := numberByWABA(waba); !ok {
		refuse(w, errUnknownID)
		return
	}
	data := []object{}
	g.mu.Lock()
	for _, s := range g.subscriptions[waba] {
		app := object{"whatsapp_business_api_data": object{"id": s.appID, "name": "Sandbox", "link": "https://example.invalid/sandbox"}}
		set(app, "override_callback_uri", s.override)
		data = append(data, app)
	}
	g.mu.Unlock()
	answer(w, object{"data": data})
}

// subscribe makes the handshake before it answers, as Meta does.
func (g *Graph) subscribe(w http.ResponseWriter, r *http.Request, waba string) {
	if !allowed(w, r, scopeManage, errNotManager) {
		return
	}
	if _, ok := numberByWABA(waba); !ok {
		refuse(w, errUnknownID)
		return
	}
	var body struct {
		Override string `json:"override_callback_uri"`
		Verify   string `json:"verify_token"`
	}
	if !read(w, r, &body) {
		return
	}

	callback, verify := body.Override, body.Verify
	if callback == "" {
		callback, verify = g.options.CallbackURL, g.options.VerifyToken
	} else if verify == "" {
		refuse(w, errParameter("verify_token is required with override_callback_uri."))
		return
	}
	if callback != "" {
		if err := g.handshake(r.Context(), callback, verify); err != nil {
			refuse(w, errHandshake(err.Error()))
			return
		}
	}

	g.mu.Lock()
	subscribed := slices.DeleteFunc(g.subscriptions[waba], func(s subscription) bool { return s.appID == known.AppID })
	g.subscriptions[waba] = append(subscribed, subscription{known.AppID, body.Override})
	g.mu.Unlock()
	answer(w, object{"success": true})
}

// handshake asks a callback to prove itself. Its errors are said to the caller and
// repeat nothing of what the callback answered.
func (g *Graph) handshake(ctx context.Context, callback, verify string) error {
	address, err := url.Parse(callback)
	if err != nil || !g.mayCall(address) {
		return fmt.Errorf("the sandbox does not call this address")
	}
	challenge, err := rand.Int(rand.Reader, big.NewInt(1_000_000_000))
	if err != nil {
		return fmt.Errorf("no challenge could be made")
	}
	query := address.Query()
	query.Set("hub.mode", "subscribe")
	query.Set("hub.challenge", challenge.String())
	query.Set("hub.verify_token", verify)
	address.RawQuery = query.Encode()

	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address.String(), nil)
	if err != nil {
		return fmt.Errorf("the address is malformed")
	}
	response, err := g.options.Client.Do(request)
	if err != nil {
		return fmt.Errorf("the address did not answer")
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("HTTP status code %d", response.StatusCode)
	}
	said, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil || string(said) != challenge.String() {
		return fmt.Errorf("the answer was not the challenge")
	}
	return nil
}

// mayCall keeps the sandbox to the host it was given, or to this machine.
func (g *Graph) mayCall(address *url.URL) bool {
	if address.Scheme != "http" && address.Scheme != "https" || address.User != nil {
		return false
	}
	if g.options.CallbackURL != "" {
		own, err := url.Parse(g.options.CallbackURL)
		return err == nil && own.Scheme == address.Scheme && own.Host == address.Host
	}
	ip := net.ParseIP(address.Hostname())
	return address.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}
