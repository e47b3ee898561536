package whatsapp

import (
	"context"
	"errors"
	"fmt"
	"net/http"
)

// Codes of Graph around a business's own username, besides those of the token, the number and its id. Source: domain facts 8.
const (
	CodeUsernameTaken     = 147001 // not to be had: somebody's, or protected
	CodeUsernameLimit     = 147002 // the portfolio needs a higher messaging limit
	CodeUsernameFacebook  = 147003 // a Facebook Page holds it: link that first
	CodeUsernameInstagram = 147004 // an Instagram account holds it: link that first
	CodeUsernameOwn       = 147005 // another number of the same business holds it: transfer it
)

// What Graph says of a username. Only a webhook says deleted. Source: domain facts 8.
const (
	UsernameReserved = "reserved" // held for the number, not to be seen yet
	UsernameApproved = "approved"
	UsernameDeleted  = "deleted"
)

// ErrNoUsernameStatus says that Graph answered a claim with neither refusal nor a status we know: nobody can say what came of it.
var ErrNoUsernameStatus = errors.New("graph answered without a status")

// ErrUsernameKept says that Graph answered a deletion with success false.
var ErrUsernameKept = errors.New("graph did not delete the username")

// NumberUsername is the username a business number has. Name is "" for none.
type NumberUsername struct {
	Name   string `json:"username"`
	Status string `json:"status"` // UsernameReserved, UsernameApproved, or a word we do not know
}

// NumberUsername reads the username of a number. It needs the permission whatsapp_business_management, as all calls here.
func (g Graph) NumberUsername(ctx context.Context, token, phoneNumberID string) (NumberUsername, error) {
	var have NumberUsername
	c := call{method: http.MethodGet, path: node(phoneNumberID, "username"), token: token}
	if err := g.do(ctx, c, &have); err != nil {
		return NumberUsername{}, fmt.Errorf("read username: %w", err)
	}
	have.Name, _ = Username(have.Name)

	return have, nil
}

// ClaimUsername asks for a username for a number, and where transfer is set takes it from another number of the same business. It
// returns UsernameReserved or UsernameApproved. What became of a claim that ended in an error says FateOf.
func (g Graph) ClaimUsername(ctx context.Context, token, phoneNumberID, name string, transfer bool) (status string, err error) {
	action := "none"
	if transfer {
		action = "force_transfer"
	}
	c := call{
		method: http.MethodPost, path: node(phoneNumberID, "username"), token: token,
		body: map[string]string{"username": name, "transfer_action": action},
	}
	var answer struct {
		Status string `json:"status"`
	}
	if err := g.do(ctx, c, &answer); err != nil {
		return "", fmt.Errorf("claim username: %w", err)
	}
	if answer.Status != UsernameReserved && answer.Status != UsernameApproved {
		return "", fmt.Errorf("claim username: %w", ErrNoUsernameStatus)
	}

	return answer.Status, nil
}

// DeleteUsername gives up the username of a number. How long it is kept from others is not stated. Source: domain facts 8.
func (g Graph) DeleteUsername(ctx context.Context, token, phoneNumberID string) error {
	c := call{method: http.MethodDelete, path: node(phoneNumberID, "username"), token: token}
	var answer struct {
		Success *bool `json:"success"`
	}
	if err := g.do(ctx, c, &answer); err != nil {
		return fmt.Errorf("delete username: %w", err)
	}
	switch {
	case answer.Success == nil:
		return fmt.Errorf("delete username: %w", ErrNoUsernameStatus)
	case !*answer.Success:
		return fmt.Errorf("delete username: %w", ErrUsernameKept)
	}

	return nil
}

// UsernameSuggestions are names that WhatsApp holds for the portfolio of a number; they stand a better chance than others.
func (g Graph) UsernameSuggestions(ctx context.Context, token, phoneNumberID string) ([]string, error) {
	var answer struct {
		Data []struct {
			Names []string `json:"username_suggestions"`
		} `json:"data"`
	}
	c := call{method: http.MethodGet, path: node(phoneNumberID, "username_suggestions"), token: token}
	if err := g.do(ctx, c, &answer); err != nil {
		return nil, fmt.Errorf("read username suggestions: %w", err)
	}
	names := []string{}
	for _, d := range answer.Data {
		for _, name := range d.Names {
			if _, folded := Username(name); folded != "" {
				names = append(names, folded)
			}
		}
	}

	return names, nil
}
