package whatsapp

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
)

// KeepChanges is a delivery with those of its changes alone that keep names by the place of the change in it, "0.1": each as it was sent,
// with the id and time of its entry. kept is how many these are. It fails for what Split fails for.
func KeepChanges(body []byte, keep func(place string) bool) (out []byte, kept int, err error) {
	envelope, err := cutObject(bytes.TrimPrefix(body, []byte("\xEF\xBB\xBF")))
	if err != nil {
		return nil, 0, fmt.Errorf("cut envelope: %w", err)
	}
	list, err := cutArray(envelope["entry"])
	if err != nil {
		return nil, 0, fmt.Errorf("cut entry: %w", err)
	}

	type part struct {
		ID      json.RawMessage   `json:"id,omitempty"`
		Time    json.RawMessage   `json:"time,omitempty"`
		Changes []json.RawMessage `json:"changes"`
	}
	whole := struct {
		Object json.RawMessage `json:"object,omitempty"`
		Entry  []part          `json:"entry"`
	}{Object: envelope["object"], Entry: []part{}}
	for i, raw := range list {
		entry, err := cutObject(raw)
		if err != nil {
			continue // it has no changes to keep
		}
		changes, err := cutArray(entry["changes"])
		if err != nil {
			continue
		}
		p := part{ID: entry["id"], Time: entry["time"]}
		for j, change := range changes {
			if keep(strconv.Itoa(i) + "." + strconv.Itoa(j)) {
				p.Changes = append(p.Changes, change)
				kept++
			}
		}
		if len(p.Changes) > 0 {
			whole.Entry = append(whole.Entry, p)
		}
	}
	if out, err = json.Marshal(whole); err != nil {
		return nil, 0, fmt.Errorf("put delivery together: %w", err)
	}

	return out, kept, nil
}
