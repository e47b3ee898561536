package access_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
)

// The limit holds over every way of writing the address, every network address and any number of servers, for accounts that
// exist and for those that do not, and empties by itself.
func TestSignInLimit(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	known := h.signIn(t, "asha").Device

	var wait *access.TooMany
	for _, name := range []string{"zsha", "asha"} {
		spellings := []string{mailOf(name), strings.ToUpper(mailOf(name)), " " + mailOf(name[:2]+"."+name[2:]), mailOf(name + "+1")}
		tries, refused := 0, 0
		for i := range 50 {
			c := credentials(name)
			c.Email = spellings[i%len(spellings)]
			c.Password = "wrong"
			c.Address = netip.MustParseAddr(fmt.Sprintf("192.0.2.%d", i+1))
			_, err := h.trySignIn(c)
			switch {
			case errors.As(err, &wait) && wait.RetryAfter > 0 && wait.RetryAfter <= 15*time.Minute:
				refused++
				// Let the growing delay pass, which is never as long as the whole window.
				if wait.RetryAfter < 3*time.Minute {
					h.exec(t, `UPDATE sign_in_failures SET at = at - interval '70 seconds'`)
				}
			case errors.Is(err, access.ErrBadSignIn):
				tries++
			default:
				t.Fatalf("%s: want a refusal, got %v", name, err)
			}
		}
		if tries > 10 || refused == 0 {
			t.Errorf("%s: want at most 10 tries in the window, got %d (%d refused)", name, tries, refused)
		}

		// A strange browser has to wait even with the right password, and so has one known for another account only.
		c := credentials(name)
		if name != "asha" {
			c.Device = known
		}
		if _, err := h.trySignIn(c); !errors.As(err, &wait) {
			t.Errorf("%s: want a strange browser to wait, got %v", name, err)
		}
	}

	// In the middle of the storm the owner's own browser gets in.
	c := credentials("asha")
	c.Device = known
	if _, err := h.trySignIn(c); err != nil {
		t.Errorf("want the known browser let in, got %v", err)
	}

	h.exec(t, `UPDATE sign_in_failures SET at = at - interval '15 minutes'`)
	h.signIn(t, "asha")
}

func TestSignInLimitOfAnAddress(t *testing.T) {
	t.Parallel()
	h := newHouse(t)

	c := credentials("stranger")
	c.Password, c.Address = "wrong", netip.MustParseAddr("2001:db8:1:2::1")
	_, err := h.trySignIn(c)
	wantIs(t, err, access.ErrBadSignIn)
	h.exec(t, `INSERT INTO sign_in_failures (bucket) SELECT bucket FROM sign_in_failures, generate_series(1, 60) WHERE bucket LIKE 'address %'`)

	// Another host of the same /64 shares the limit, another network does not.
	c = credentials("asha")
	c.Address = netip.MustParseAddr("2001:db8:1:2:ffff::9")
	var wait *access.TooMany
	if _, err := h.trySignIn(c); !errors.As(err, &wait) {
		t.Errorf("want the /64 limited, got %v", err)
	}
	c.Address = netip.MustParseAddr("2001:db8:1:3::1")
	if _, err := h.trySignIn(c); err != nil {
		t.Errorf("want another network let in, got %v", err)
	}

	// Nor does it matter how many accounts are tried: the limited network tries none of a thousand, and has no password checked.
	for i := range 1000 {
		c := credentials(fmt.Sprint("account-", i))
		c.Address = netip.MustParseAddr("2001:db8:1:2::1")
		if _, err := h.trySignIn(c); !errors.As(err, &wait) {
			t.Fatalf("account %d: got %v, want to wait", i, err)
		}
	}
}

func TestRationDay(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	here, there := netip.MustParseAddr("203.0.113.7"), netip.MustParseAddr("203.0.113.8")
	use := func(key, what string, from netip.Addr) error {
		return access.RationDay(context.Background(), h.DB, []byte(key), what, from, 3)
	}
	for range 3 {
		if err := use("key", "clinic", here); err != nil {
			t.Fatalf("within the measure: got %v", err)
		}
	}
	var wait *access.TooMany
	if err := use("key", "clinic", here); !errors.As(err, &wait) || wait.RetryAfter < 23*time.Hour {
		t.Errorf("past it: got %v, want to wait most of a day", err)
	}
	for what, err := range map[string]error{
		"another address": use("key", "clinic", there), "another business": use("key", "motors", here), "the hash under another key": use("other", "clinic", here),
	} {
		if err != nil {
			t.Errorf("%s: got %v, want it let through", what, err)
		}
	}
	h.exec(t, `UPDATE sign_in_failures SET at = at - interval '25 hours'`)
	if err := use("key", "clinic", here); err != nil {
		t.Errorf("a day later: got %v", err)
	}
	h.system(t, func(ctx context.Context, tx *tenants.Tx) error {
		if n, err := access.Sweep(ctx, tx); err != nil || n != 6 {
			t.Errorf("swept %d, %v; want the six of yesterday", n, err)
		}
		return nil
	})
}
