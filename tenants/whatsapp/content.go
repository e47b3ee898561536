package whatsapp

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"strings"
)

// content prepares a type's own object for a jsonb column, which refuses NUL,
// lone surrogates and numbers beyond all size. Numbers otherwise keep their
// digits. Nil where there is nothing or it is larger than maxContent.
func (e *envelope) content(raw []byte) json.RawMessage {
	if len(raw) == 0 || bytes.Equal(raw, []byte("null")) {
		return nil
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		e.warn("content_dropped")
		return nil
	}

	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(storable(value)); err != nil || out.Len() > maxContent {
		e.warn("content_dropped")
		return nil
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n"))
}

func storable(value any) any {
	switch value := value.(type) {
	case string:
		return strings.ReplaceAll(value, "\x00", "\uFFFD")
	case json.Number:
		if f, err := value.Float64(); err != nil || math.IsInf(f, 0) || len(value) > 64 {
			return truncate(value.String(), 64)
		}
	case []any:
		for i := range value {
			value[i] = storable(value[i])
		}
	case map[string]any:
		for key, member := range value {
			if safe := strings.ReplaceAll(key, "\x00", "\uFFFD"); safe != key {
				delete(value, key)
				key = safe
			}
			value[key] = storable(member)
		}
	}
	return value
}

// integer reads a member as a whole number; 0 where it is none.
func (f fields) integer(key string) int {
	n, err := strconv.ParseInt(f.text(key), 10, 32)
	if err != nil {
		return 0
	}
	return int(n)
}
