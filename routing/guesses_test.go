package routing

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestGuessing: whoever guesses gets the same end for a right extension as for
// a wrong one, and the call says nothing of the binding.
func TestGuessing(t *testing.T) {
	app := &App{Key: "app", Mode: AXE, ExtDigits: 4}
	b := &Binding{ID: "axe-1", App: "app", Mode: AXE, X: theX, A: anna, Ext: "0001", UserData: "order 7"}
	q := Question{X: theX, Caller: bert, At: now}
	f := Facts{Known: true, App: "app", Status: StatusNormal, Bindings: 1, ToX: b, Wrong: 3}
	require.Equal(t, Dial, DecideExtension(&china, app, q, f, "0001").Step, "some were wrong, this one is not")

	wrong := DecideExtension(&china, app, q, f, "0002")
	require.Equal(t, 3, wrong.Wrong)
	f.Guessed = true
	guessed := DecideExtension(&china, app, q, f, "0001")
	require.NotEqual(t, wrong.Why, guessed.Why)
	require.NotContains(t, guessed.Why, string(bert))
	guessed.Why = wrong.Why
	require.Equal(t, wrong, guessed)
}
