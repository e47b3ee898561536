package whatsapp

import (
	"bytes"
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

	// Put together by hand: an encoder would write what is in the changes in its own way, and refuse the change of which a part is no JSON.
	var entries [][]byte
	for i, raw := range list {
		entry, err := cutObject(raw)
		if err != nil {
			continue // it has no changes to keep
		}
		changes, err := cutArray(entry["changes"])
		if err != nil {
			continue
		}
		var mine [][]byte
		for j, change := range changes {
			if keep(strconv.Itoa(i) + "." + strconv.Itoa(j)) {
				mine = append(mine, change)
			}
		}
		if kept += len(mine); len(mine) > 0 {
			entries = append(entries, fmt.Appendf(nil, `{%s"changes":[%s]}`, members(entry, "id", "time"), bytes.Join(mine, []byte(","))))
		}
	}

	return fmt.Appendf(nil, `{%s"entry":[%s]}`, members(envelope, "object"), bytes.Join(entries, []byte(","))), kept, nil
}

// members are those of an object that are there, as they were sent, each with a comma behind it.
func members(of fields, names ...string) []byte {
	var out []byte
	for _, name := range names {
		if raw, ok := of[name]; ok {
			out = fmt.Appendf(out, `%q:%s,`, name, raw)
		}
	}

	return out
}
