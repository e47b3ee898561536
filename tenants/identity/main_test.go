package identity_test

import (
	"flag"
	"os"
	"testing"
)

// histories is how many random histories a property is tried on. Try more with -rapid.checks.
const histories = "40"

func TestMain(m *testing.M) {
	flag.Parse()
	asked := false
	flag.Visit(func(f *flag.Flag) { asked = asked || f.Name == "rapid.checks" })
	if !asked {
		if err := flag.Set("rapid.checks", histories); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}
