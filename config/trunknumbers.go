package config

// TrunkNumbers is how a trunk spells numbers, beside its formats.
type TrunkNumbers struct {
	DialRules   []string `key:"dial_rules" help:"rules for the number that it calls, before X is read from it: pattern -> replacement, such as 9901(*) -> $; the first that fits counts, and without one 138..., 0138..., 86138..., +86138... and 0086138... are the same"`
	CalleeRules []string `key:"callee_rules" help:"rules for the callee, as spelled by callee_format"`
	FromRules   []string `key:"from_rules" help:"rules for X as the caller, as spelled by from_format; X has to stay in it"`
}
