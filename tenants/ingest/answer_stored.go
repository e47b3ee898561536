//go:build !ackbeforestore

package ingest

// answersFirst is true only in the build that the loss test must find fault with.
const answersFirst = false
