//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"os/exec"
)

// sipsak runs the tool of that name (Debian package sipsak, version 0.9.8);
// an error says what it printed.
func sipsak(ctx context.Context, args ...string) error {
	out, err := exec.CommandContext(ctx, "sipsak", args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("sipsak %v: %w\n%s", args, err, out)
	}
	return nil
}
