package numbers_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"testing"

	"github.com/pehchan/pehchan/tenants/numbers"
	"github.com/pehchan/pehchan/tenants/sandbox"
)

// inApp has Graph say of a number whether it is in the Business app.
func (w *metaWindow) inApp(n sandbox.Number, is bool) {
	node := fmt.Sprintf(`{"id":%q,"display_phone_number":%q,"verified_name":%q,"is_on_biz_app":%t}`, n.PhoneNumberID, n.DisplayPhone, n.VerifiedName, is)
	w.instead("/"+n.PhoneNumberID, func(rw http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(rw, node) })
	w.instead("/"+n.WABAID+"/phone_numbers", func(rw http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(rw, `{"data":[`+node+`]}`) })
}

// refusesToRegister has Graph refuse it until it is let again.
func (w *metaWindow) refusesToRegister(n sandbox.Number) (letAgain func()) {
	path := "/" + n.PhoneNumberID + "/register"
	w.instead(path, func(rw http.ResponseWriter, _ *http.Request) {
		rw.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(rw, `{"error":{"code":100,"message":"not now"}}`)
	})

	return func() { w.instead(path, nil) }
}

// A number that was new when it was connected, and is in the Business app by now, is registered in none of the ways to look at it again.
func TestNumberThatCameIntoTheAppIsNotRegistered(t *testing.T) {
	t.Parallel()
	_, fresh := sandbox.SignupNumbers()
	for name, again := range map[string]func(*testing.T, *metaWindow, numbers.Number) (numbers.Number, error){
		"check again": func(_ *testing.T, w *metaWindow, n numbers.Number) (numbers.Number, error) {
			return numbers.Recheck(context.Background(), w.DB, w.keys, w.graph, meera, w.asha, n.ID, w.callback)
		},
		"new token": func(_ *testing.T, w *metaWindow, n numbers.Number) (numbers.Number, error) {
			return numbers.ReplaceToken(context.Background(), w.DB, w.keys, w.graph, meera, w.asha, n.ID, tokenOf(sandbox.TokenGood), w.callback)
		},
		"the window for the app": func(t *testing.T, w *metaWindow, _ numbers.Number) (numbers.Number, error) {
			t.Helper()
			return w.signup(w.asha, numbers.SignupInput{OnApp: true, Code: w.choose(t, fresh, keepsApp, "finish"), WABAID: fresh.WABAID})
		},
		"the window for new numbers": func(t *testing.T, w *metaWindow, _ numbers.Number) (numbers.Number, error) {
			t.Helper()
			return w.signup(w.asha, numbers.SignupInput{Code: w.choose(t, fresh, "", "finish"), PhoneNumberID: fresh.PhoneNumberID})
		},
		"a return": func(_ *testing.T, w *metaWindow, n numbers.Number) (numbers.Number, error) {
			if err := w.disconnect(w.asha, n.ID); err != nil {
				return numbers.Number{}, err
			}
			return numbers.Reconnect(context.Background(), w.DB, w.keys, w.graph, meera, w.asha, n.ID, w.callback)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWindow(t)
			letAgain := w.refusesToRegister(fresh)
			n, err := w.signup(w.asha, numbers.SignupInput{Code: w.choose(t, fresh, "", "finish")})
			if err != nil || n.OnApp || n.RegisteredAt != nil {
				t.Fatalf("got %+v (%v), want it connected, not registered and not in the app", n, err)
			}
			letAgain()
			w.inApp(fresh, true)
			before := w.called("/register")

			n, err = again(t, w, n)
			if err != nil || !n.OnApp {
				t.Errorf("got %+v (%v), want it known to be in the app", n, err)
			}
			if w.called("/register") != before || w.stand.Registered(fresh.PhoneNumberID) {
				t.Error("a number in the Business app was registered: its owner loses the app")
			}
		})
	}
}

// A number leaves the Business app and comes back to it through Meta's window.
func TestNumberLeavesTheAppAndReturns(t *testing.T) {
	t.Parallel()
	w := newWindow(t)
	_, n := sandbox.SignupNumbers()
	w.instead("/"+n.PhoneNumberID+"/smb_app_data", func(rw http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(rw, `{"request_id":"1"}`) })
	keep := func() numbers.Number {
		t.Helper()
		w.inApp(n, true)
		got, err := w.signup(w.asha, numbers.SignupInput{OnApp: true, Code: w.choose(t, n, keepsApp, "finish"), WABAID: n.WABAID})
		if err != nil || !got.OnApp || got.OnboardedAt == nil {
			t.Fatalf("connected with the app: got %+v (%v)", got, err)
		}
		return got
	}
	first := keep()
	if err := w.startSync(w.asha, first.ID); err != nil {
		t.Fatal(err)
	}

	w.inApp(n, false)
	left, err := w.signup(w.asha, numbers.SignupInput{Code: w.choose(t, n, "", "finish"), WABAID: n.WABAID})
	if err != nil || left.OnApp || left.RegisteredAt == nil || !left.OnboardedAt.After(*first.OnboardedAt) || !w.stand.Registered(n.PhoneNumberID) {
		t.Errorf("left the app: got %+v (%v), want it registered and connected just now", left, err)
	}

	back := keep()
	if back.ID != first.ID || !back.OnboardedAt.After(*left.OnboardedAt) || len(w.syncs(t, w.asha, back.ID)) != 0 {
		t.Errorf("in the app again: got %+v, want its chats to be asked for anew", back)
	}
	if err := w.startSync(w.asha, back.ID); err != nil || w.called("smb_app_data") != 4 {
		t.Errorf("Meta was asked %d times (%v), want twice for each time in the app", w.called("smb_app_data"), err)
	}
	w.inApp(n, false)
	if again, err := w.signup(w.asha, numbers.SignupInput{Code: w.choose(t, n, "", "finish"), WABAID: n.WABAID}); err != nil || w.called("/register") != 2 {
		t.Errorf("left the app again: got %v (%v) after %d registrations, want it registered anew", said(again.Checks), err, w.called("/register"))
	}
}

// Where Graph is behind the window, the window for numbers in the app is believed for as long as it takes.
func TestNothingIsRegisteredRightAfterTheAppWasKept(t *testing.T) {
	t.Parallel()
	w := newWindow(t)
	_, n := sandbox.SignupNumbers()
	in := numbers.SignupInput{OnApp: true, WABAID: n.WABAID, PhoneNumberID: n.PhoneNumberID}
	for range 2 {
		in.Code = w.choose(t, n, keepsApp, "finish")
		if _, err := w.signup(w.asha, in); err != nil || w.called("/register") != 0 {
			t.Errorf("registered %d times (%v), want never", w.called("/register"), err)
		}
	}
}

// What the browser says of a portfolio is no proof of it.
func TestPortfolioOfTheWindowIsNotBelieved(t *testing.T) {
	t.Parallel()
	w := newWindow(t)
	_, fresh := sandbox.SignupNumbers()
	w.hidePortfolio(fresh)
	n, err := w.signup(w.asha, numbers.SignupInput{Code: w.choose(t, fresh, "", "finish"), PortfolioID: "5060000000001"})
	if err != nil || n.PortfolioID != "" || n.Scope != "waba:"+fresh.WABAID {
		t.Errorf("got portfolio %q, scope %s (%v), want the WABA's own", n.PortfolioID, n.Scope, err)
	}
}

// hidePortfolio has Graph refuse to say whose a number's WABA is.
func (w *metaWindow) hidePortfolio(n sandbox.Number) {
	w.instead("/"+n.WABAID, func(rw http.ResponseWriter, _ *http.Request) {
		rw.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(rw, `{"error":{"code":200,"message":"no"}}`)
	})
}

func TestPINOutlivesTheGrace(t *testing.T) {
	t.Parallel()
	w := newWindow(t)
	_, fresh := sandbox.SignupNumbers()
	in := numbers.SignupInput{Code: w.choose(t, fresh, "", "finish")}
	n, err := w.signup(w.asha, in)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.disconnect(w.asha, n.ID); err != nil {
		t.Fatal(err)
	}
	w.endGrace(t, w.asha, n.ID)
	w.works(t, w.graph)
	until(t, "the token is forgotten", func() bool {
		n, err := w.get(w.asha, n.ID)
		return err == nil && !n.HasToken
	})

	in.Code = w.choose(t, fresh, "", "finish")
	again, err := w.signup(w.asha, in)
	if err != nil || again.ID != n.ID || !slices.Contains(said(again.Checks), "registered") {
		t.Errorf("connected anew: got %v (%v), want it registered with the PIN it has", said(again.Checks), err)
	}
}
