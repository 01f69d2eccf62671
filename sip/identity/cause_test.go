package identity

import (
	"testing"

	"github.com/emiago/sipgo/sip"
	"github.com/stretchr/testify/require"
)

// TestStatusOf is the left half of the table of section 6 of the
// interoperability rules; what it does not name is of its class.
func TestStatusOf(t *testing.T) {
	named := map[int]int{
		1: 404, 2: 404, 3: 404, 16: 487, 17: 486, 18: 408, 19: 480, 20: 480, 31: 480, 21: 403, 22: 410, 23: 410, 26: 404, 27: 502, 28: 484, 29: 501,
		34: 503, 38: 503, 41: 503, 42: 503, 47: 503, 58: 503, 55: 403, 57: 403, 87: 403, 65: 488, 70: 488, 79: 501, 88: 503, 102: 504, 111: 500, 127: 500,
	}
	for cause := -1; cause < 130; cause++ {
		want, ok := named[cause]
		got := StatusOf(cause, false)
		if ok {
			require.Equal(t, want, got, cause)
		}
		require.True(t, got >= 400 && got < 600, "%d: %d", cause, got)
	}
	require.Equal(t, 603, StatusOf(21, true))
	require.Equal(t, 404, StatusOf(1, true))
	for cause, want := range map[int]int{43: 503, 50: 403, 66: 501, 96: 500, 25: 480, 0: 480, 128: 480} {
		require.Equal(t, want, StatusOf(cause, false), cause)
	}
}

func TestCauseOfFailure(t *testing.T) {
	for _, c := range []struct {
		status  int
		headers []sip.Header
		want    int
	}{
		{486, nil, 17},
		{302, nil, 23},
		{305, nil, 31},
		{301, nil, 22},
		{486, []sip.Header{sip.NewHeader("Reason", "Q.850;cause=21")}, 21},
		{486, []sip.Header{sip.NewHeader("Reason", "SIP;cause=600")}, 17},
		{488, nil, 88},
		{488, []sip.Header{sip.NewHeader("Warning", `304 h "Media type not available"`)}, 88},
		{606, []sip.Header{sip.NewHeader("Warning", `307 h "+8613800000001"`)}, 88},
		{488, []sip.Header{sip.NewHeader("Warning", `370 h "Insufficient bandwidth"`)}, 31},
		{606, []sip.Header{sip.NewHeader("Warning", "399 h x")}, 88},
		{488, []sip.Header{sip.NewHeader("Warning", "junk")}, 88},
		{488, []sip.Header{sip.NewHeader("Warning", "370 h x"), sip.NewHeader("Reason", "Q.850;cause=65")}, 65},
		{486, []sip.Header{sip.NewHeader("Warning", "370 h x")}, 17},
	} {
		res := sip.NewResponse(c.status, "x")
		for _, h := range c.headers {
			res.AppendHeader(h)
		}
		require.Equal(t, c.want, CauseOfFailure(res), c)
	}
}
