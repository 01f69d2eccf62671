package routing

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestParseX(t *testing.T) {
	plan := ChinaPlan()
	require.NoError(t, plan.Validate())
	const x = "+8618012345678"
	for _, dialled := range []string{
		"18012345678", "8618012345678", "+8618012345678", "008618012345678", "018012345678",
		"180-1234-5678", "+86 180 1234 5678", "(180)1234.5678", " 18012345678 ", "+86018012345678",
	} {
		got, ok := plan.ParseX(dialled)
		require.True(t, ok, dialled)
		require.Equal(t, X(x), got, dialled)
	}
	const masked = "+86700123456789012"
	for _, dialled := range []string{"700123456789012", "86700123456789012", "+86700123456789012", "0086700123456789012", "0700123456789012"} {
		got, ok := plan.ParseX(dialled)
		require.True(t, ok, dialled)
		require.Equal(t, X(masked), got, dialled)
	}
	for _, not := range []string{
		"", "+", "110", "12012345678", "1801234567", "180123456789", "075528000001", "+18012345678", "0018012345678",
		"70012345678901", "7001234567890123", "1801234567x", "18012345678;ext=1", "sip:18012345678", "++8618012345678",
		"１８012345678", strings.Repeat("1", 1000), strings.Repeat(" ", 1000),
	} {
		_, ok := plan.ParseX(not)
		require.False(t, ok, not)
	}
}

func TestParseXInAPlanWithFixedLineX(t *testing.T) {
	plan := ChinaPlan()
	plan.X = append(plan.X, "755288XXXXX")
	for _, dialled := range []string{"075528800001", "75528800001", "86755 288 00001", "+8675528800001", "+86 0755 28800001", "008675528800001"} {
		x, ok := plan.ParseX(dialled)
		require.True(t, ok, dialled)
		require.Equal(t, X("+8675528800001"), x, dialled)
	}
	require.Equal(t, "075528800001", plan.SpellX("+8675528800001", FormatNational))
}

func TestReadNumber(t *testing.T) {
	plan := ChinaPlan()
	for spelled, want := range map[string]Number{
		"13800000001": "+8613800000001", "8613800000001": "+8613800000001", "+8613800000001": "+8613800000001",
		"008613800000001": "+8613800000001", "013800000001": "+8613800000001", "138 0000 0001": "+8613800000001",
		"075528000001": "+8675528000001", "75528000001": "+8675528000001", "+86-755-2800 0001": "+8675528000001",
		"+86(0755)28000001": "+8675528000001", "008675528000001": "+8675528000001", "8675528000001": "+8675528000001",
		"01082000001": "+861082000001", "861082000001": "+861082000001", "0310 3000001": "+863103000001",
		"4001234567": "+864001234567", "95588": "+8695588", "+8695588": "+8695588",
		"110": "+86110", "10086": "+8610086", "96110": "+8696110",
		"+12125550100": "+12125550100", "0012125550100": "+12125550100", "+85291234567": "+85291234567",
		"700123456789012": "+86700123456789012",
	} {
		got, ok := plan.ReadNumber(spelled)
		require.True(t, ok, spelled)
		require.Equal(t, want, got, spelled)
	}
	for _, not := range []string{"", "anonymous", "28000001", "+", "00", "0", "+0123456789", "+1234567890123456", "1380000000a", "+86138000000011", strings.Repeat("0", 65)} {
		n, ok := plan.ReadNumber(not)
		require.False(t, ok, "%s became %s", not, n)
	}
}

func TestParseNumberWantsTheGlobalForm(t *testing.T) {
	plan := ChinaPlan()
	for _, good := range []string{"+8613800000001", "+8675528000001", "+861082000001", "+864001234567", "+8695588"} {
		n, err := plan.ParseNumber(good)
		require.NoError(t, err, good)
		require.Equal(t, Number(good), n)
	}
	for bad, why := range map[string]string{
		"13800000001": "global form", "8613800000001": "global form", "+86 13800000001": "global form", "+86075528000001": "global form",
		"+861380000000": "global form", "": "global form", "+": "global form", "+86110": "emergency", "+8610086": "emergency or short",
		"+12125550100": "foreign", "+85291234567": "foreign", "+86700123456789012": "masked", " +8613800000001": "global form",
	} {
		_, err := plan.ParseNumber(bad)
		require.ErrorContains(t, err, why, bad)
		if bad != "" && bad != "+" {
			require.NotContains(t, err.Error(), bad, "an error may be logged")
		}
	}
}

func TestKind(t *testing.T) {
	plan := ChinaPlan()
	plan.Abroad = []Abroad{{Code: "852", Mobile: []Pattern{"[569]XXXXXXX"}, Fixed: []Pattern{"[23]XXXXXXX"}}}
	require.NoError(t, plan.Validate())
	for n, want := range map[Number]Kind{
		"+8613800000001": Mobile, "+8619900000001": Mobile, "+8675528000001": Fixed, "+8682528000001": Fixed, "+861082000001": Fixed, "+8631030000001": Fixed,
		"+864001234567": Service, "+868001234567": Service, "+8695588": Service, "+8695013123": Service,
		"+86110": Emergency, "+86112": Emergency, "+86119": Emergency, "+86120": Emergency, "+86122": Emergency, "+86911": Emergency, "+86999": Emergency, "+8612345": Emergency,
		"+85291234567": Mobile, "+85221234567": Fixed, "+85211234567": Malformed, "+85366123456": Foreign, "+886912345678": Foreign, "+12125550100": Foreign,
		"+86700123456789012": Masked, "+8612012345678": Malformed, "13800000001": Malformed, "": Malformed, "+": Malformed, "+8613800000001 ": Malformed,
	} {
		require.Equal(t, want, plan.Kind(n), n)
	}
}

func TestSpell(t *testing.T) {
	plan := ChinaPlan()
	for _, row := range []struct {
		n                                     Number
		e164, digits, idd, national, withZero string
	}{
		{"+8613800000001", "+8613800000001", "8613800000001", "008613800000001", "13800000001", "013800000001"},
		{"+8675528000001", "+8675528000001", "8675528000001", "008675528000001", "075528000001", "075528000001"},
		{"+8695588", "+8695588", "8695588", "008695588", "95588", "95588"},
		{"+12125550100", "+12125550100", "12125550100", "0012125550100", "0012125550100", "0012125550100"},
	} {
		require.Equal(t, row.e164, plan.Spell(row.n, ""))
		require.Equal(t, row.e164, plan.Spell(row.n, FormatE164))
		require.Equal(t, row.digits, plan.Spell(row.n, FormatDigits))
		require.Equal(t, row.idd, plan.Spell(row.n, FormatInternational))
		require.Equal(t, row.national, plan.Spell(row.n, FormatNational))
		require.Equal(t, row.withZero, plan.Spell(row.n, FormatNationalZero))
	}
	require.Equal(t, "18012345678", plan.SpellX("+8618012345678", FormatNational))
	require.Equal(t, "018012345678", plan.SpellX("+8618012345678", FormatNationalZero))
	require.Equal(t, "700123456789012", plan.SpellX("+86700123456789012", FormatNational))
	require.NoError(t, FormatNational.Validate())
	require.ErrorContains(t, Format("E164").Validate(), "use e164")
}

func TestValidateNamesTheField(t *testing.T) {
	for field, spoil := range map[string]func(*Plan){
		"country":         func(p *Plan) { p.Country = "+86" },
		"national":        func(p *Plan) { p.National = "a" },
		"international":   func(p *Plan) { p.International = "" },
		"mobile":          func(p *Plan) { p.Mobile = nil },
		"areas":           func(p *Plan) { p.Areas = []Pattern{"7[5"} },
		"local":           func(p *Plan) { p.Local = nil },
		"service":         func(p *Plan) { p.Service = []Pattern{"[9-1]5XXX"} },
		"emergency":       func(p *Plan) { p.Emergency = []Pattern{"11O"} },
		"x":               func(p *Plan) { p.X = []Pattern{""} },
		"abroad[0].code":  func(p *Plan) { p.Abroad = []Abroad{{Code: "861", Mobile: p.Mobile}} },
		"abroad[1].fixed": func(p *Plan) { p.Abroad = []Abroad{{"852", p.Mobile, nil}, {"853", p.Mobile, []Pattern{"[]"}}} },
	} {
		p := ChinaPlan()
		spoil(&p)
		err := p.Validate()
		require.Error(t, err, field)
		require.Equal(t, field, strings.SplitN(err.Error(), ":", 2)[0], err.Error())
	}
	var empty Plan
	require.Error(t, empty.Validate())
}

// TestSpellingsComeBack: what is written for a trunk in any form is read as
// the same number.
func TestSpellingsComeBack(t *testing.T) {
	plan := ChinaPlan()
	formats := []Format{FormatE164, FormatDigits, FormatInternational, FormatNational, FormatNationalZero}
	rapid.Check(t, func(t *rapid.T) {
		n := Number("+86" + rapid.StringMatching(`1[3-9][0-9]{9}|755[2-9][0-9]{7}|10[2-9][0-9]{7}|310[2-9][0-9]{6}|400[0-9]{7}|95[0-9]{3}`).Draw(t, "national"))
		f := rapid.SampledFrom(formats).Draw(t, "format")
		got, ok := plan.ReadNumber(plan.Spell(n, f))
		if !ok || got != n {
			t.Fatalf("%s as %s is %q, read as %q", n, f, plan.Spell(n, f), got)
		}
		x := X("+86" + rapid.StringMatching(`1[3-9][0-9]{9}|700[0-9]{12}`).Draw(t, "x"))
		back, ok := plan.ParseX(plan.SpellX(x, f))
		if !ok || back != x {
			t.Fatalf("%s as %s is %q, read as %q", x, f, plan.SpellX(x, f), back)
		}
	})
}

// FuzzReading: nothing that is dialled makes the plan panic, and what is read
// is a fixed point.
func FuzzReading(f *testing.F) {
	for _, s := range []string{"13800000001", "+86 (0755) 2800-0001", "0086110", "anonymous", "+", "00", "7001234567890123", "\x00", "１８０"} {
		f.Add(s)
	}
	plan := ChinaPlan()
	f.Fuzz(func(t *testing.T, s string) {
		if n, ok := plan.ReadNumber(s); ok {
			again, ok := plan.ReadNumber(string(n))
			if !ok || again != n || plan.Kind(n) == Malformed {
				t.Fatalf("%q was read as %q, and that as %q", s, n, again)
			}
		}
		if x, ok := plan.ParseX(s); ok {
			if again, ok := plan.ParseX(string(x)); !ok || again != x {
				t.Fatalf("%q was read as %q, and that as %q", s, x, again)
			}
		}
	})
}
