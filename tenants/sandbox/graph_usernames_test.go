package sandbox_test

import (
	"errors"
	"slices"
	"strconv"
	"testing"

	"github.com/pehchan/pehchan/tenants/sandbox"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

const lab = "224466880024680" // of the clinic's portfolio

// TestUsernameCallsAndEveryRefusal: domain facts 8, each error once, and what a caller may conclude of it.
func TestUsernameCallsAndEveryRefusal(t *testing.T) {
	t.Parallel()
	graph, _, _ := meta(t)
	good := token(t, sandbox.TokenGood)
	claim := func(token, id, name string) error {
		_, err := graph.ClaimUsername(t.Context(), token, id, name, false)
		return err
	}
	read := func(token, id string) error {
		_, err := graph.NumberUsername(t.Context(), token, id)
		return err
	}
	if err := claim(good, lab, "held.by.lab"); err != nil {
		t.Fatal(err)
	}

	for name, c := range map[string]struct {
		err  error
		code int
		fate whatsapp.Fate
	}{
		"taken":                {claim(good, clinic, "asha"+sandbox.NameTaken), 147001, whatsapp.FateRefused},
		"messaging limit":      {claim(good, clinic, "asha"+sandbox.NameLimit), 147002, whatsapp.FateRefused},
		"facebook page":        {claim(good, clinic, "asha"+sandbox.NamePage), 147003, whatsapp.FateRefused},
		"instagram account":    {claim(good, clinic, "asha"+sandbox.NameInsta), 147004, whatsapp.FateRefused},
		"own other number":     {claim(good, clinic, "Held.By.Lab"), 147005, whatsapp.FateRefused},
		"other portfolio":      {claim(good, "224466880035791", "held.by.lab"), 147001, whatsapp.FateRefused},
		"not registered":       {claim(good, clinic, "asha"+sandbox.NameUnregistered), 133010, whatsapp.FateLater},
		"permission":           {claim(good, clinic, "asha"+sandbox.NamePermission), 10, whatsapp.FateLater},
		"token lacks scopes":   {claim(token(t, sandbox.TokenLacksScopes), clinic, "asha"), 10, whatsapp.FateLater},
		"token expired":        {claim(token(t, sandbox.TokenExpired), clinic, "asha"), 190, whatsapp.FateLater},
		"id gone":              {claim(good, clinic, "asha"+sandbox.NameGone), 33, whatsapp.FateRefused},
		"id deleted":           {read(good, sandbox.Known().Deleted), 33, whatsapp.FateRefused},
		"id unknown":           {read(good, "1"), 100, whatsapp.FateRefused},
		"delete with bad id":   {graph.DeleteUsername(t.Context(), good, "1"), 100, whatsapp.FateRefused},
		"too many calls":       {claim(good, clinic, "asha"+sandbox.NameBusy), 4, whatsapp.FateRefused},
		"format, short":        {claim(good, clinic, "ab"), 100, whatsapp.FateRefused},
		"format, two periods":  {claim(good, clinic, "asha..clinic"), 100, whatsapp.FateRefused},
		"format, domain":       {claim(good, clinic, "asha.in"), 100, whatsapp.FateRefused},
		"format, digits alone": {claim(good, clinic, "123456"), 100, whatsapp.FateRefused},
		"format, accent":       {claim(good, clinic, "josé"), 100, whatsapp.FateRefused},
		"broken proxy":         {claim(good, clinic, "asha"+sandbox.NameBroken), 0, whatsapp.FateUnknown},
		"answer lost":          {claim(good, clinic, "asha"+sandbox.NameLost), -1, whatsapp.FateUnknown},
	} {
		var refused *whatsapp.GraphError
		got := -1
		if errors.As(c.err, &refused) {
			got = refused.Code
		}
		if c.err == nil || got != c.code || whatsapp.FateOf(c.err).Fate != c.fate {
			t.Errorf("%s: got %v (fate %d), want code %s, fate %d", name, c.err, whatsapp.FateOf(c.err).Fate, strconv.Itoa(c.code), c.fate)
		}
	}
	if err := claim(good, clinic, "asha"+sandbox.NameOdd); !errors.Is(err, whatsapp.ErrNoUsernameStatus) {
		t.Errorf("a status nobody knows: got %v, want %v", err, whatsapp.ErrNoUsernameStatus)
	}
}

func TestUsernameIsClaimedMovedAndDeleted(t *testing.T) {
	t.Parallel()
	graph, _, taken := meta(t)
	good := token(t, sandbox.TokenGood)
	told := func(phone, name, status string) {
		t.Helper()
		if e := next(t, taken); e.Kind != whatsapp.KindUsername || e.Type != status || e.Facts["username"] != name || e.Facts["display_phone_number"] != phone {
			t.Errorf("told %s %v, want %s of %s", e.Type, e.Facts, status, phone)
		}
	}
	have := func(id string) whatsapp.NumberUsername {
		t.Helper()
		got, err := graph.NumberUsername(t.Context(), good, id)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}

	if got := have(clinic); got.Name != "" {
		t.Errorf("before: got %+v, want no name", got)
	}
	names, err := graph.UsernameSuggestions(t.Context(), good, clinic)
	if want := []string{"ashaclinic", "asha.clinic"}; err != nil || !slices.Equal(names, want) {
		t.Errorf("suggestions: got %v, %v, want %v", names, err, want)
	}
	if status, err := graph.ClaimUsername(t.Context(), good, clinic, "AshaClinic", false); err != nil || status != whatsapp.UsernameApproved {
		t.Errorf("claim: got %q, %v", status, err)
	}
	told("15550199042", "ashaclinic", "approved")
	if got := have(clinic); got.Name != "ashaclinic" || got.Status != whatsapp.UsernameApproved {
		t.Errorf("after: got %+v", got)
	}
	if names, _ := graph.UsernameSuggestions(t.Context(), good, lab); slices.Contains(names, "ashaclinic") {
		t.Errorf("suggestions hold a name that is had: %v", names)
	}

	if _, err := graph.ClaimUsername(t.Context(), good, lab, "ashaclinic", true); err != nil {
		t.Errorf("transfer: %v", err)
	}
	told("15550199042", "", "deleted")
	told("15550199043", "ashaclinic", "approved")
	if got := have(clinic); got.Name != "" {
		t.Errorf("after the transfer the first has %+v", got)
	}

	if err := graph.DeleteUsername(t.Context(), good, lab); err != nil {
		t.Errorf("delete: %v", err)
	}
	told("15550199043", "", "deleted")
	if err := graph.DeleteUsername(t.Context(), good, lab); !errors.Is(err, whatsapp.ErrUsernameKept) {
		t.Errorf("delete again: got %v, want %v", err, whatsapp.ErrUsernameKept)
	}
	if status, err := graph.ClaimUsername(t.Context(), good, lab, "asha"+sandbox.NameReview, false); err != nil || status != whatsapp.UsernameReserved {
		t.Errorf("a name under review: got %q, %v", status, err)
	}
}
