package routing

// Masked is the number as logs and operators may see it: +86138****0001.
func (n Number) Masked() string {
	const head, tail = 6, 4
	switch {
	case n == "":
		return "an unknown caller"
	case len(n) < head+tail+2:
		return "****"
	default:
		return string(n[:head]) + "****" + string(n[len(n)-tail:])
	}
}
