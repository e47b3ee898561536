package main

// Names for tests.
type (
	Share  = share
	Node   = node
	Result = result
	Truth  = truth
)

// Joined is joined.
func Joined(sets [][]Node) [][]Node { return joined(sets) }

// NewNode makes an identifier of a portfolio.
func NewNode(kind, value, portfolio string) Node {
	return node{kind: kind, value: value, portfolio: portfolio}
}

// Wilson is the interval of a share.
func (s share) Wilson() (low, high float64) { return s.wilson() }

// Authored is a truth that knows authors alone.
func Authored(authors map[string]string) *Truth { return &truth{authors: authors} }

// BCubed counts messages by contact.
func (r *result) BCubed(t *Truth, wrote map[string]string) { r.bcubed(t, wrote) }
