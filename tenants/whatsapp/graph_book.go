package whatsapp

import (
	"context"
	"net/http"
	"net/url"
)

// DeleteFromContactBook has WhatsApp delete a customer's entry in the contact book of the portfolio that a business number belongs to.
// deleted is false where there was none. Parent BSUIDs are not supported. Source: domain facts 7.
func (g Graph) DeleteFromContactBook(ctx context.Context, phoneNumberID, token, bsuid string) (deleted bool, err error) {
	var answer struct {
		Deleted bool `json:"deleted"`
	}
	err = g.do(ctx, call{
		method: http.MethodDelete, path: node(phoneNumberID, "contact_book"), token: token, secrets: []string{bsuid},
		query: url.Values{"messaging_product": {"whatsapp"}, "bsuid": {bsuid}},
	}, &answer)

	return answer.Deleted, err
}
