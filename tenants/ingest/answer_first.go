//go:build ackbeforestore

package ingest

// answersFirst makes a receiver that says 200 before a delivery is stored: what the loss test exists to find.
const answersFirst = true
