package identity

import (
	"strings"
	"testing"

	"github.com/emiago/sipgo/sip"
	"github.com/stretchr/testify/require"
)

func TestReason(t *testing.T) {
	require.Equal(t, "Q.850;cause=16", Reason(16))
	require.Equal(t, "Q.850;cause=1", Reason(1))
	require.Equal(t, "Q.850;cause=127", Reason(127))
	for _, none := range []int{0, -1, 128, 486, 8020} {
		require.Equal(t, "Q.850;cause=31", Reason(none))
	}
}

func TestParseReason(t *testing.T) {
	for _, c := range []struct {
		values       []string
		q850, status int
	}{
		{nil, 0, 0},
		{[]string{"Q.850;cause=16"}, 16, 0},
		{[]string{`Q.850;cause=17;text="13800000001 is busy"`}, 17, 0},
		{[]string{`Q.850;text="a;cause=99, SIP;cause=600";cause=19`}, 19, 0},
		{[]string{`q.850 ; Cause = 20 ; text="\";cause=99"`}, 20, 0},
		{[]string{`Q.850;cause="21"`}, 21, 0},
		{[]string{`SIP;cause=200;text="Call completed elsewhere"`}, 0, 200},
		{[]string{"sip;cause=486"}, 0, 486},
		{[]string{"SIP;cause=600, Q.850;cause=17"}, 17, 600},
		{[]string{"SIP;cause=600", "Q.850;cause=17"}, 17, 600},
		{[]string{"Q.850;cause=17", "Q.850;cause=19"}, 17, 0}, // the first of each
		{[]string{"Q.850;cause=0", "Q.850;cause=19"}, 19, 0},
		{[]string{"Q.850"}, 0, 0},
		{[]string{"Q.850;cause="}, 0, 0},
		{[]string{"Q.850;cause=0"}, 0, 0},
		{[]string{"Q.850;cause=128"}, 0, 0},
		{[]string{"Q.850;cause=-16"}, 0, 0},
		{[]string{"Q.850;cause=0x10"}, 0, 0},
		{[]string{"Q.850;cause=99999999999999999999"}, 0, 0},
		{[]string{"SIP;cause=99"}, 0, 0},
		{[]string{"SIP;cause=700"}, 0, 0},
		{[]string{"SIP;cause=16, Q.850;cause=486"}, 0, 0},
		{[]string{"preemption;cause=1;text=UA", "X.Int;cause=16"}, 0, 0},
		{[]string{`"`, ";;;", ",,,", "=", ""}, 0, 0},
		{[]string{strings.Repeat("X;cause=1,", 16) + "Q.850;cause=16"}, 0, 0}, // beyond what is read
	} {
		var headers []sip.Header
		for _, v := range c.values {
			headers = append(headers, sip.NewHeader("Reason", v))
		}
		g := ParseReason(headers)
		require.Equal(t, c.q850, g.Cause, c.values)
		require.Equal(t, c.status, g.Status, c.values)
		require.False(t, g.User, c.values)
	}
}

// TestLocation: where a cause was made counts with the cause that is read.
func TestLocation(t *testing.T) {
	for value, user := range map[string]bool{
		"Q.850;cause=21;location=U":                             true,
		`q.850 ; Location = "u" ; cause=21`:                     true,
		"Q.850;cause=21;location=LN":                            false,
		"Q.850;cause=21":                                        false,
		`Q.850;cause=21;text="location=U"`:                      false,
		"SIP;cause=603;location=U, Q.850;cause=21":              false,
		"Q.850;cause=21;location=RLN, Q.850;cause=1;location=U": false,
	} {
		g := ParseReason([]sip.Header{sip.NewHeader("Reason", value)})
		require.Equal(t, Given{Cause: 21, User: user, Status: g.Status}, g, value)
	}
}

// TestCauseOf is the right half of the table of section 6 of the
// interoperability rules. Each final status has a cause that Q.850 has.
func TestCauseOf(t *testing.T) {
	table := map[int][]int{
		1:   {404, 485, 604},
		16:  {487},
		17:  {486, 600},
		18:  {480},
		102: {408, 504},
		21:  {401, 402, 403, 407, 603, 607, 608}, // 607, 608: RFC 8197, RFC 8688
		22:  {301, 410},
		23:  {300, 302},
		28:  {484},
		38:  {502},
		41:  {400, 481, 500, 503},
		63:  {405},
		79:  {406, 415, 501},
		88:  {488, 606},
		25:  {482, 483},
		127: {413, 414, 416, 420, 421, 423, 505, 513},
	}
	want := map[int]int{}
	for cause, statuses := range table {
		for _, s := range statuses {
			want[s] = cause
		}
	}
	for status := 300; status < 700; status++ {
		w, named := want[status]
		switch {
		case named:
		case status < 400:
			w = 31
		case status < 600: // as 400 or 500: RFC 3261 section 8.1.3.2
			w = 41
		default: // as 600
			w = 17
		}
		require.Equal(t, w, CauseOf(status), status)
	}
	for _, s := range []int{-1, 0, 200, 700, 1 << 30} {
		require.Equal(t, 31, CauseOf(s), s)
	}
}
