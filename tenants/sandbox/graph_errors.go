package sandbox

import (
	"net/http"
	"time"
)

// graphError is a refusal in the shape Graph gives it.
type graphError struct {
	Status, Code, Subcode int
	Message               string
}

// expiredAt is when the expired token ran out.
var expiredAt = time.Date(2026, time.June, 1, 0, 0, 0, 0, time.UTC)

// The refusals of the sandbox. Codes: domain facts 5.2.
var (
	errBadToken   = graphError{http.StatusUnauthorized, 190, 0, "Invalid OAuth access token - Cannot parse access token"}
	errExpired    = graphError{http.StatusUnauthorized, 190, 463, "Error validating access token: Session has expired on Monday, 01-Jun-26 00:00:00 UTC."}
	errPermission = graphError{http.StatusForbidden, 10, 0, "(#10) Application does not have permission for this action"}
	errNotGranted = graphError{http.StatusForbidden, 200, 0, "(#200) You do not have the necessary permissions required to send messages on behalf of this WhatsApp Business Account"}
	errNotManager = graphError{http.StatusForbidden, 200, 0, "(#200) Permissions error"}
	errDeleted    = graphError{http.StatusBadRequest, 33, 0, "(#33) The business phone number has been deleted."}
	errUnknownID  = graphError{http.StatusBadRequest, 100, 33, "Unsupported get request. Object with this ID does not exist, cannot be loaded due to missing permissions, or does not support this operation."}

	errNeedsPhone = graphError{http.StatusBadRequest, 131062, 0, "(#131062) Business-scoped user id recipients are not supported for this message."}

	errUnknownPath = graphError{http.StatusBadRequest, 2500, 0, "Unknown path components"}
)

func errParameter(message string) graphError {
	return graphError{http.StatusBadRequest, 100, 0, "(#100) " + message}
}

func errHandshake(message string) graphError {
	return graphError{http.StatusBadRequest, 2200, 0, "(#2200) Callback verification failed: " + message}
}

func refuse(w http.ResponseWriter, e graphError) {
	body := object{"message": e.Message, "type": "OAuthException", "code": e.Code, "fbtrace_id": "AsandboxTrace000000000"}
	if e.Subcode != 0 {
		body["error_subcode"] = e.Subcode
	}
	write(w, e.Status, object{"error": body})
}
