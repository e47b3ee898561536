package whatsapp_test

import (
	"testing"

	"github.com/pehchan/pehchan/tenants/whatsapp"
)

func TestHistoryProgress(t *testing.T) {
	t.Parallel()

	value := func(field, rest string) string {
		return `{"entry":[{"changes":[{"field":"` + field + `","value":{"metadata":{"phone_number_id":"7"},` + rest + `}}]}]}`
	}
	for name, c := range map[string]struct {
		body     string
		percent  int
		declined bool
		ok       bool
	}{
		"two chunks":         {value("history", `"history":[{"metadata":{"phase":0,"progress":55}},{"metadata":{"phase":1,"progress":"70"}}]`), 70, false, true},
		"more than all":      {value("history", `"history":[{"metadata":{"progress":900}}]`), 100, false, true},
		"less than nothing":  {value("history", `"history":[{"metadata":{"progress":-5}}]`), 0, false, true},
		"declined":           {value("history", `"history":[{"errors":[{"code":2593109,"title":"off"}]}]`), 0, true, true},
		"another error":      {value("history", `"history":[{"errors":[{"code":1}]}]`), 0, false, true},
		"another field":      {value("messages", `"history":[{"metadata":{"progress":55}}]`), 0, false, false},
		"past media":         {value("history", `"messages":[]`), 0, false, false},
		"another number":     {`{"entry":[{"changes":[{"field":"history","value":{"metadata":{"phone_number_id":"8"},"history":[{"metadata":{"progress":55}}]}}]}]}`, 0, false, false},
		"nothing of a kind":  {`[]`, 0, false, false},
		"not even a message": {`{"entry":"x"}`, 0, false, false},
	} {
		percent, declined, ok := whatsapp.HistoryProgress([]byte(c.body), "7")
		if percent != c.percent || declined != c.declined || ok != c.ok {
			t.Errorf("%s: got %d, %v, %v; want %d, %v, %v", name, percent, declined, ok, c.percent, c.declined, c.ok)
		}
	}
}
