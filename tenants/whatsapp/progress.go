package whatsapp

// HistoryProgress reads from a delivery how far the past chats of a number have come, of 100, and whether its owner declined to
// share them. ok is false where the delivery says nothing of it. Source: domain facts 3.11.
func HistoryProgress(body []byte, phoneNumberID string) (percent int, declined, ok bool) {
	envelope, err := cutObject(body)
	if err != nil {
		return 0, false, false
	}
	for _, entry := range envelope.list("entry") {
		for _, change := range entry.list("changes") {
			value := change.object("value")
			if change.text("field") != SyncHistory || value.object("metadata").text("phone_number_id") != phoneNumberID {
				continue
			}
			for _, e := range value.list("errors") {
				declined = declined || e.integer("code") == SyncDeclined
			}
			for _, chunk := range value.list("history") {
				ok = true
				percent = max(percent, min(chunk.object("metadata").integer("progress"), 100))
				for _, e := range chunk.list("errors") {
					declined = declined || e.integer("code") == SyncDeclined
				}
			}
		}
	}

	return percent, declined, ok || declined
}
