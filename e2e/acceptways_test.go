//go:build e2e

package e2e

// wayAcceptances are of the ways to a carrier.
func wayAcceptances() []acceptance { return nil }
