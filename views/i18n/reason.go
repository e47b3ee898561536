package i18n

import (
	"context"
	"strconv"
	"time"
)

// Reason is the sentence of a piece of evidence, "evidence.<code>". args fill its placeholders: at is a time in RFC 3339 and is
// written as a day in the reader's zone, others is how many more people the evidence fits; where that is
// nobody, "evidence.<code>_alone" says so.
func Reason(ctx context.Context, code string, args map[string]string) string {
	pairs := make([]any, 0, 2*len(args))
	for name, v := range args {
		if at, err := time.Parse(time.RFC3339, v); name == "at" && err == nil {
			v = Date(ctx, at)
		}
		pairs = append(pairs, name, v)
	}
	if others, err := strconv.Atoi(args["others"]); err == nil {
		if alone := "evidence." + code + "_alone"; others == 0 && Known(alone) {
			return T(ctx, alone, pairs...)
		}
		return N(ctx, "evidence."+code, others, pairs...)
	}

	return T(ctx, "evidence."+code, pairs...)
}
