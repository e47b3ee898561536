package identity

// What would make it certain: the codes of NextProof.
const (
	ProofByMessage = "certain_message" // WhatsApp's report of the next message to the candidate's phone names the account behind it
	ProofByNumber  = "certain_number"  // the phone is shared: only the person can say
	ProofByAsking  = "certain_ask"     // nobody is named, or nobody with a phone
)

// NextProof is what would settle a case soonest, the candidate at the place given being looked at; Code "" where nothing is open, or
// WhatsApp has shown it already.
func NextProof(c Case, at int) Reason {
	if c.Contact == nil || c.State != "open" || c.Kind == CaseConflict {
		return Reason{}
	}
	if at < 0 || at >= len(c.Candidates) {
		return Reason{Code: ProofByAsking}
	}
	k := c.Candidates[at]
	phone := k.Contact.Phone()
	switch {
	case k.Tier == "A":
		return Reason{}
	case phone == "":
		return Reason{Code: ProofByAsking}
	case len(sharedPhone(k.Contact)) > 0:
		return Reason{Code: ProofByNumber, Args: map[string]string{"via": phone}}
	default:
		return Reason{Code: ProofByMessage, Args: map[string]string{"via": phone}}
	}
}
