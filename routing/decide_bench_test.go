package routing

import "testing"

// BenchmarkDecide is what the rules cost, by mode.
func BenchmarkDecide(b *testing.B) {
	pair, whole := bindingAXB(anna, bert), bindingAX(anna)
	for _, c := range []struct {
		mode Mode
		f    Facts
	}{
		{AXB, Facts{ByCaller: pair}},
		{AX, Facts{ToX: whole, Held: true}},
		{AXE, Facts{Bindings: 1}},
	} {
		b.Run(string(c.mode), func(b *testing.B) {
			app := App{Key: "app", SP: "sp", Mode: c.mode, ExtDigits: 4}
			f := c.f
			f.Known, f.App, f.Status = true, "app", StatusNormal
			caller := anna
			if c.mode == AX {
				caller = carl
			}
			b.ReportAllocs()
			for b.Loop() {
				d := Decide(&china, &app, Question{Session: "s", X: theX, Caller: caller, At: now}, f)
				if d.Step == Refuse {
					b.Fatal(d.Why)
				}
			}
		})
	}
}
