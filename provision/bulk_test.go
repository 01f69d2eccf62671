package provision_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"axgate/ledger"
	"axgate/provision"
	"axgate/routing"
)

// readBindings reads a whole list.
func readBindings(t *testing.T, text string) (lines []provision.BindingLine) {
	t.Helper()
	r := provision.NewBindingReader(strings.NewReader(text))
	for {
		var err error
		if lines, err = r.Next(lines); errors.Is(err, io.EOF) {
			return lines
		} else {
			require.NoError(t, err)
		}
	}
}

// became is what became of lines, as text.
func became(results []provision.LineResult) (list []string) {
	for _, r := range results {
		text := fmt.Sprintf("%d %s", r.Line, r.State)
		if r.State == provision.LineFailed {
			text += " " + r.Code + " " + r.Reason
		}
		list = append(list, text)
	}
	return list
}

// TestBindLines: the good lines are bound, the others named, and what is
// imported once more changes nothing.
func TestBindLines(t *testing.T) {
	onBoth(t, routing.AXB, func(t *testing.T, o *office) {
		o.setting(func(a *ledger.App) { a.Recording = true })
		lines := readBindings(t, "\ufeffx,a,b,direction,duration,maxDuration,record,userData\n"+
			x1+","+anna+","+bert+",1,3600,10,true,order 7\n"+
			"# a remark\n\n"+
			x2+","+anna+","+bert+"\n"+
			x1+","+anna+","+carl+"\n"+
			x3+","+carl+","+carl+"\n"+
			xo+","+carl+","+dora+"\n"+
			x3+","+x1+","+dora+"\n"+
			x3+","+carl+","+dora+",3\n"+
			x3+","+carl+","+dora+",0,soon\n"+
			x3+",,"+dora+"\n"+
			","+carl+","+dora+"\n"+
			x3+","+carl+","+dora+",0,0,0,maybe\n"+
			x3+","+carl+","+dora+",0,0,0,false,{}\n")
		require.Nil(t, o.facts(x2, anna).ByCaller)
		results, err := o.BindLines(o.ctx, "app", lines)
		require.NoError(t, err)
		require.Equal(t, []string{
			"2 bound", "5 bound",
			"6 failed 1012010 +8617010000001 has +86138****0001 bound already",
			"7 failed 1010002 calleeNum: it has to be another number than callerNum",
			"8 failed 1012007 relationNum: the app has no such number",
			"9 failed 1010002 callerNum: it is an X, not a real number",
			"10 failed 1010002 callDirection: 3 is not between 0 and 2",
			"11 failed 1010002 duration: it is no number",
			"12 failed 1010002 callerNum: it is missing",
			"13 failed 1010002 x: it is missing",
			"14 failed 1010002 record: it is neither true nor false",
			"15 failed 1010002 userData: it may have ASCII characters other than { and } alone: encode it, for example in Base64",
		}, became(results))
		b, err := o.ledger.Binding(o.ctx, results[0].SubscriptionID, o.clock())
		require.NoError(t, err)
		require.Equal(t, "order 7", b.UserData)
		require.True(t, b.Record)
		require.Equal(t, []any{routing.OnlyFromA, 10}, []any{b.Allowed, b.MaxMinutes})
		require.Equal(t, o.clock().Add(3600e9), b.Until)

		again, err := o.BindLines(o.ctx, "app", lines[:2])
		require.NoError(t, err)
		require.Equal(t, []string{"2 stands", "5 stands"}, became(again))
		require.Equal(t, results[0].SubscriptionID, again[0].SubscriptionID)
		require.NotNil(t, o.facts(x2, anna).ByCaller, "the cache, which had X without it")
		o.agrees()
	})
}

// TestBindLinesOfModes: each mode has its own columns.
func TestBindLinesOfModes(t *testing.T) {
	t.Run("AX", func(t *testing.T) {
		onBoth(t, routing.AX, func(t *testing.T, o *office) {
			results, err := o.BindLines(o.ctx, "app", readBindings(t, x1+","+anna+"\n"+x1+","+bert+"\n"+x2+","+anna+","+bert+"\n"+x2+","+anna+",,,0,60\n"))
			require.NoError(t, err)
			require.Equal(t, []string{"1 bound", "2 failed 1011005 privateNum: it is bound to another A",
				"3 failed 1010002 b: only AXB bindings have one", "4 failed 1010002 duration: AX bindings are for ever"}, became(results))
		})
	})
	t.Run("AXE", func(t *testing.T) {
		onBoth(t, routing.AXE, func(t *testing.T, o *office) {
			results, err := o.BindLines(o.ctx, "app", readBindings(t, x1+","+anna+",,0007\n"+x1+","+bert+"\n"+x1+","+carl+",,7\n"+x1+","+dora+",,0007\n"+x1+","+dora+",,,1\n"))
			require.NoError(t, err)
			require.Equal(t, []string{"1 bound", "2 bound", "3 failed 1010002 extendNum: it needs exactly 4 digits",
				"4 failed 1012010 +8617010000001 has extension 0007 bound already", "5 failed 1010002 AXE bindings have neither direction nor maxDuration"}, became(results))
		})
	})
}

// TestBindLinesNeedsAnApp: what no line can be made for is refused as a whole.
func TestBindLinesNeedsAnApp(t *testing.T) {
	onBoth(t, routing.AXB, func(t *testing.T, o *office) {
		lines := readBindings(t, x1+","+anna+","+bert+"\n")
		_, err := o.BindLines(o.ctx, "nobody", lines)
		require.Equal(t, "1010003", provision.Code(err))
		o.setting(func(a *ledger.App) { a.Paused = true })
		_, err = o.BindLines(o.ctx, "app", lines)
		require.Error(t, err)
		_, err = o.BindLines(o.ctx, "app", make([]provision.BindingLine, provision.MostBindings+1))
		require.Equal(t, "1010002", provision.Code(err))
		_, err = provision.NewBindingReader(strings.NewReader("x,a,c\n")).Next(nil)
		require.Equal(t, "1010002", provision.Code(err))
	})
}

// lines binds several at once, as a list does.
func (d *drive) lines(t *rapid.T) {
	x := rapid.SampledFrom(d.xs).Draw(t, "x")
	d.last = routing.X(x)
	var lines []provision.BindingLine
	for i := range rapid.IntRange(1, 5).Draw(t, "n") {
		l := provision.BindingLine{Line: i + 1, X: x, A: rapid.SampledFrom(crowd).Draw(t, "a")}
		switch d.mode {
		case routing.AXB:
			l.B, l.Duration = rapid.SampledFrom(crowd).Draw(t, "b"), rapid.SampledFrom([]int{0, 30}).Draw(t, "duration")
		case routing.AXE:
			l.Ext, l.Duration = rapid.SampledFrom([]string{"", "", "3", "9", "0"}).Draw(t, "ext"), rapid.SampledFrom([]int{0, 1}).Draw(t, "minutes")
		}
		lines = append(lines, l)
	}
	results, err := d.BindLines(d.ctx, "app", lines)
	require.NoError(t, err)
	for _, r := range results {
		require.Equal(t, r.State == provision.LineFailed, r.SubscriptionID == "", "%+v", r)
		if r.State != provision.LineFailed {
			b, err := d.ledger.Binding(d.ctx, r.SubscriptionID, d.clock())
			require.NoError(t, err)
			d.bound[b.ID] = b
		}
	}
}
