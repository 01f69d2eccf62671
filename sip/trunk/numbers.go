package trunk

import (
	"fmt"

	"axgate/routing"
)

// Numbers is how a trunk spells numbers, beside its formats.
type Numbers struct {
	Dial   []routing.Rewrite // what it sends as the number that is called, before the plan reads X from it
	Callee []routing.Rewrite // the callee, spelled by CalleeFormat
	From   []routing.Rewrite // X as the caller, spelled by FromFormat
}

// maxRules bounds each list of rules.
const maxRules = 64

func (n *Numbers) complete() error {
	for _, l := range []struct {
		name  string
		rules []routing.Rewrite
	}{{"dial rules", n.Dial}, {"callee rules", n.Callee}, {"from rules", n.From}} {
		if len(l.rules) > maxRules {
			return fmt.Errorf("%s: %d are more than %d", l.name, len(l.rules), maxRules)
		}
	}
	for i, r := range n.From {
		if !r.Keeps() {
			return fmt.Errorf("from rules: rule %d has no $, so another number than X would be shown", i+1)
		}
	}
	return nil
}

// Dialled is the number that the trunk's peer calls, as the plan can read it.
func (t *Trunk) Dialled(number string) string { return routing.Rewritten(number, t.Numbers.Dial) }

// Callee writes a callee as the trunk wants it.
func (t *Trunk) Callee(p *routing.Plan, n routing.Number) string {
	return routing.Rewritten(p.Spell(n, t.CalleeFormat), t.Numbers.Callee)
}

// Shown writes X as the trunk wants it. The error says that its rules would
// show another number.
func (t *Trunk) Shown(p *routing.Plan, x routing.X) (string, error) {
	shown := routing.Rewritten(p.SpellX(x, t.FromFormat), t.Numbers.From)
	if !p.Names(shown, x) {
		return "", fmt.Errorf("trunk %q: its from rules make another number of %s", t.Name, x)
	}
	return shown, nil
}
