package whatsapp

import (
	"context"
	"errors"
	"fmt"
	"net/http"
)

// Reach asks Graph for nothing, without a token, to see whether it can be reached: an answer of any kind but a failure of its own will do.
func (g Graph) Reach(ctx context.Context) error {
	err := g.do(ctx, call{method: http.MethodGet, path: "/"}, &struct{}{})
	var refused *GraphError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &refused) && refused.Status < http.StatusInternalServerError:
		return nil
	}

	return fmt.Errorf("reach graph: %w", err)
}
