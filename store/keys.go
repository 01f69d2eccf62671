package store

import "axgate/routing"

// The keys. All of one X share the hash tag {X}, so that they live in one slot
// of a Redis Cluster. docs/redis-keys.md describes each.

func numberKey(x routing.X) string { return "axgate:{" + string(x) + "}" }

func axKey(x routing.X) string { return numberKey(x) + ":ax" }

// ofNumberKey is the binding seen from a real number: either side of an AXB
// pair, A of an AXE binding; of AXYB on X its B or the A of the AX part, on Y
// its A. There is none for a caller without a number.
func ofNumberKey(x routing.X, n routing.Number) string { return numberKey(x) + ":n:" + string(n) }

func extensionKey(x routing.X, e routing.Extension) string { return numberKey(x) + ":e:" + string(e) }

func temporaryKey(x routing.X) string { return numberKey(x) + ":temp" }

func callbackKey(x routing.X, a routing.Number) string { return numberKey(x) + ":cb:" + string(a) }

// wrongKey counts the wrong extensions that a caller typed; callers without a
// number share one.
func wrongKey(x routing.X, caller routing.Number) string {
	return numberKey(x) + ":wrong:" + string(caller)
}

func busyKey(x routing.X) string { return numberKey(x) + ":busy" }

func blacklistKey(x routing.X) string { return numberKey(x) + ":black" }

// bindingKeys are the entries that a binding has with x, one of its numbers.
func bindingKeys(b *routing.Binding, x routing.X) []string {
	switch b.Mode {
	case routing.AXYB:
		if b.Of == "" || b.Y == x {
			return []string{ofNumberKey(x, b.A)}
		}
		return []string{ofNumberKey(x, b.B)}
	case routing.AX:
		return []string{axKey(b.X)}
	case routing.AXB:
		return []string{ofNumberKey(b.X, b.A), ofNumberKey(b.X, b.B)}
	default:
		return []string{ofNumberKey(b.X, b.A), extensionKey(b.X, b.Ext)}
	}
}
