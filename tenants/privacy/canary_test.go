package privacy_test

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// plainKeys are left as they are in the payloads: their values choose how a thing is read.
var plainKeys = map[string]bool{
	"type": true, "status": true, "event": true, "field": true, "messaging_product": true, "object": true, "category": true, "action": true, "mime_type": true,
	"direction": true, "timestamp": true, "phone_number_id": true, "display_phone_number": true, "value": true, "origin": true, "recipient_type": true, "reason": true, "phase": true,
	"group_id": true, "initiated_by": true, "request_id": true, // the group's own
}

// infect writes the person to be erased over every customer of a payload, and the canary into every other string.
func infect(value any, key string, named *bool) any {
	switch v := value.(type) {
	case map[string]any:
		for k, member := range v {
			v[k] = infect(member, k, named)
		}
		return v
	case []any:
		for i, element := range v {
			v[i] = infect(element, key, named)
		}
		return v
	case string:
		switch {
		case whatsapp.IsParentBSUID(v):
			*named = true
			return parent
		case whatsapp.IsBSUID(v):
			*named = true
			return bsuid
		case plainKeys[key] || v == "":
			return v
		}
		if p, ok := whatsapp.Phone(v); ok && len(p) >= 10 && (key == "wa_id" || key == "from" || key == "to" || key == "recipient_id" || key == "phone" || key == "phone_number" || key == "id" || key == "input") {
			*named = true
			return phone
		}
		return v + canary
	}

	return value
}

// payloads sends every documented event as if it were about the person.
func (h *house) payloads() {
	h.t.Helper()
	files, err := filepath.Glob("../whatsapp/testdata/*.json")
	if err != nil || len(files) < 100 {
		h.t.Fatalf("%d payloads: %v", len(files), err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			h.t.Fatal(err)
		}
		var body map[string]any
		if json.Unmarshal(raw, &body) != nil || body["entry"] == nil {
			continue
		}
		entries, _ := body["entry"].([]any)
		named := false
		for _, e := range entries {
			entry, _ := e.(map[string]any)
			entry["id"] = h.waba
			changes, _ := entry["changes"].([]any)
			for _, c := range changes {
				change, _ := c.(map[string]any)
				value, _ := change["value"].(map[string]any)
				if value["metadata"] != nil || value["messages"] != nil {
					value["metadata"] = map[string]any{"display_phone_number": "919800000801", "phone_number_id": h.sender}
				}
				if field, _ := change["field"].(string); strings.Contains(field, "business") {
					continue
				}
				change["value"] = infect(value, "", &named)
			}
		}
		if !named {
			continue
		}
		again, err := json.Marshal(body)
		if err != nil {
			h.t.Fatal(err)
		}
		h.receive(again)
	}
}

// found is where the person still stands: table and how many rows.
func (h *house) found() map[string]int {
	h.t.Helper()
	var words []string
	for _, w := range []string{canary, phone, bsuid, parent} {
		words = append(words, w, hex.EncodeToString([]byte(w)))
	}
	out := map[string]int{}
	look := func(ctx context.Context, tx *tenants.Tx) error {
		var tables []string
		if err := tx.SelectContext(ctx, &tables, `
			SELECT c.relname FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND c.relname <> 'goose_db_version' ORDER BY 1`); err != nil {
			return err
		}
		for _, table := range tables {
			var n int
			if err := tx.GetContext(ctx, &n, fmt.Sprintf(`SELECT count(*) FROM %q t WHERE t::text ~ $1`, table), strings.Join(words, "|")); err != nil {
				return fmt.Errorf("%s: %w", table, err)
			}
			out[table] = max(out[table], n)
			if n == 0 && out[table] == 0 {
				delete(out, table)
			}
		}

		return nil
	}
	h.as(look)
	if err := h.DB.System(h.t.Context(), func(tx *tenants.Tx) error { return look(h.t.Context(), tx) }); err != nil {
		h.t.Fatal(err)
	}

	return out
}
