// Package e2e holds the browser journeys: what a customer would miss first, done in a real browser on the whole program, and
// a walk over every page of the route table. It has tests only.
package e2e
