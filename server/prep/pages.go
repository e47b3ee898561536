// Package prep prepares a team for customers' questions: lessons, quizzes, drills, briefings, and how ready everybody is.
package prep

import (
	"fmt"

	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants/training/content"
)

// Pages are its handlers, as server/routes.go lists them.
type Pages struct {
	*web.Site

	bank *content.Bank
}

// New makes the pages of a site, with what is taught as it was shipped.
func New(s *web.Site) (*Pages, error) {
	bank, err := content.Shipped()
	if err != nil {
		return nil, fmt.Errorf("read what is taught: %w", err)
	}

	return &Pages{Site: s, bank: bank}, nil
}
