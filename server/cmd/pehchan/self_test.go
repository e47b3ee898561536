package main

import (
	"os"
	"testing"
)

// TestMain makes this test program be the command where a test says so: a real process, built as the tests are built.
func TestMain(m *testing.M) {
	if os.Getenv("PEHCHAN_TEST_AS_COMMAND") != "" {
		main()
	}
	os.Exit(m.Run())
}
