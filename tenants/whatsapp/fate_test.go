package whatsapp_test

import (
	"net/http"
	"testing"

	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// Only an answer that surely means "not taken" may have a message sent again.
func TestFateOfAnAnswer(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status, code int
		fate         whatsapp.Fate
		trouble      string
	}{
		{http.StatusServiceUnavailable, 0, whatsapp.FateUnknown, whatsapp.TroubleGraphDown},
		{http.StatusBadGateway, 0, whatsapp.FateUnknown, whatsapp.TroubleGraphDown},
		{http.StatusRequestTimeout, 0, whatsapp.FateUnknown, whatsapp.TroubleGraphDown},
		{http.StatusOK, 0, whatsapp.FateUnknown, whatsapp.TroubleGraphDown},
		{http.StatusForbidden, 0, whatsapp.FateLater, whatsapp.TroubleGraphDown},
		{http.StatusTooManyRequests, 0, whatsapp.FateLater, whatsapp.TroubleRate},
		{http.StatusServiceUnavailable, 2, whatsapp.FateLater, whatsapp.TroubleGraphDown},
		{http.StatusInternalServerError, 131000, whatsapp.FateLater, whatsapp.TroubleGraphDown},
		{http.StatusInternalServerError, 130429, whatsapp.FateLater, whatsapp.TroubleRate},
		{http.StatusBadRequest, 131056, whatsapp.FateLater, ""},
		{http.StatusBadRequest, 131047, whatsapp.FateRefused, ""},
		{http.StatusOK, 131047, whatsapp.FateRefused, ""},
	} {
		got := whatsapp.FateOf(&whatsapp.GraphError{Status: c.status, Code: c.code})
		if got.Fate != c.fate || got.Trouble != c.trouble {
			t.Errorf("status %d, code %d: fate %d, trouble %q; want %d, %q", c.status, c.code, got.Fate, got.Trouble, c.fate, c.trouble)
		}
	}
}
