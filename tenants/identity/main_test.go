package identity_test

import (
	"flag"
	"os"
	"testing"
)

// The random histories that a property is tried on: how many, and from which seed, so that a test run says the same every time.
// make fuzz looks at others; asked for either by hand, that counts (-rapid.checks, -rapid.seed=0 for a new one).
const (
	histories = "40"
	seed      = "20260330"
)

func TestMain(m *testing.M) {
	flag.Parse()
	asked := false
	flag.Visit(func(f *flag.Flag) { asked = asked || f.Name == "rapid.checks" || f.Name == "rapid.seed" })
	if !asked {
		for name, value := range map[string]string{"rapid.checks": histories, "rapid.seed": seed} {
			if err := flag.Set(name, value); err != nil {
				panic(err)
			}
		}
	}
	os.Exit(m.Run())
}
