package node

import (
	"fmt"

	"axgate/config"
	"axgate/routing"
	"axgate/sip/trunk"
)

func trunkNumbers(c *config.TrunkNumbers) (trunk.Numbers, error) {
	var n trunk.Numbers
	for _, l := range []struct {
		key   string
		texts []string
		rules *[]routing.Rewrite
	}{{"dial_rules", c.DialRules, &n.Dial}, {"callee_rules", c.CalleeRules, &n.Callee}, {"from_rules", c.FromRules, &n.From}} {
		for i, text := range l.texts {
			r, err := routing.ParseRewrite(text)
			if err != nil {
				return n, fmt.Errorf("%s[%d]: %w", l.key, i, err)
			}
			*l.rules = append(*l.rules, r)
		}
	}
	return n, nil
}
