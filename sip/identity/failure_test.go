package identity

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestFailureOf has the rows of section 9 of the behaviour that tell how a
// callee's side can fail, with the numbers that stand there.
func TestFailureOf(t *testing.T) {
	type row struct{ stateCode, failReason, sip, cause int }
	var (
		busy     = row{8102, 8102, 486, 17}
		rejects  = row{7503, 7504, 603, 21}
		noAnswer = row{8101, 8101, 480, 19}
		noSuch   = row{8100, 8100, 404, 1}
		trunk    = row{8020, 7506, 503, 38}
		unfit    = row{8020, 7506, 488, 88}
	)
	absent := func(cause int) row { return row{8103, 8103, 480, cause} }
	off := row{8104, 8104, 480, 27}
	suspended := row{8105, 8105, 480, 22}
	for _, c := range []struct {
		status, q850 int
		want         row
	}{
		// The status alone.
		{486, 0, busy}, {600, 0, busy},
		{603, 0, rejects}, {403, 0, rejects}, {607, 0, rejects}, {608, 0, rejects},
		{404, 0, noSuch}, {604, 0, noSuch}, {484, 0, noSuch}, {485, 0, noSuch},
		{480, 0, absent(18)}, {410, 0, suspended}, {301, 0, suspended},
		{487, 0, noAnswer},
		{408, 0, trunk}, {500, 0, trunk}, {502, 0, trunk}, {503, 0, trunk}, {504, 0, trunk},
		{401, 0, trunk}, {407, 0, trunk}, {400, 0, trunk}, {415, 0, trunk}, {420, 0, trunk}, {482, 0, trunk}, {483, 0, trunk},
		{501, 0, trunk}, {513, 0, trunk}, {488, 0, unfit}, {606, 0, unfit}, {488, 65, row{8020, 7506, 488, 65}}, {488, 17, busy}, {606, -1, unfit}, {488, 1000, unfit}, {300, 0, trunk}, {302, 0, trunk}, {699, 0, trunk},

		// A cause comes first, whatever the status.
		{480, 1, noSuch}, {503, 1, noSuch}, {500, 28, noSuch},
		{480, 17, busy}, {503, 17, busy}, {600, 17, busy},
		{480, 18, absent(18)}, {408, 18, absent(18)}, {503, 20, absent(20)}, {480, 20, absent(20)},
		{480, 19, noAnswer}, {487, 19, noAnswer}, {500, 19, noAnswer},
		{480, 21, rejects}, {603, 21, rejects}, {486, 21, rejects},
		{480, 22, suspended}, {410, 22, suspended}, {502, 27, off}, {480, 27, off}, {404, 27, off},

		// A cause that names no state of the callee: the status tells.
		{486, 16, busy}, {603, 16, rejects}, {404, 3, noSuch}, {480, 31, absent(18)}, {480, 127, absent(18)}, {487, 16, noAnswer},
		{500, 31, trunk}, {503, 34, trunk}, {408, 102, trunk}, {500, 2, trunk},

		// 480 for what is wrong with the network is no absent callee.
		{480, 34, trunk}, {480, 38, trunk}, {480, 41, trunk}, {480, 42, trunk}, {480, 102, trunk},
		// But these never make the call go on over another trunk (section 5).
		{486, 34, busy}, {600, 41, busy}, {603, 38, rejects}, {404, 41, noSuch}, {484, 102, noSuch}, {487, 41, noAnswer},

		{480, -1, absent(18)}, {503, 1000, trunk}, {0, 0, trunk},
	} {
		t.Run(fmt.Sprintf("%d with %d", c.status, c.q850), func(t *testing.T) {
			got := FailureOf(c.status, c.q850)
			require.Equal(t, c.want, row{got.StateCode, got.FailReason, got.SIP, got.Cause})
			require.False(t, got.Quiet)
		})
	}
}
