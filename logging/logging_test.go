package logging

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMask(t *testing.T) {
	for number, want := range map[string]string{
		"+8613800000001":       "+86138****0001",
		"+867552800001":        "+86755****0001",
		"+8670012345678":       "+86700****5678",
		"+86123456789":         "+86123****6789",
		"10086":                "****",
		"+8612345678":          "****",
		"":                     "",
		"+8670012345678901234": "+86700****1234",
	} {
		require.Equal(t, want, Mask(number), number)
	}
}

func TestNew(t *testing.T) {
	var out bytes.Buffer
	log, err := New(&out, "info", JSON)
	require.NoError(t, err)
	log.Debug().Msg("unseen")
	log.Info().Str("caller", Mask("+8613800000001")).Msg("seen")
	require.NotContains(t, out.String(), "unseen")
	require.Contains(t, out.String(), `"caller":"+86138****0001"`)

	_, err = New(&out, "loud", JSON)
	require.ErrorContains(t, err, "trace, debug, info, warn or error")
	_, err = New(&out, "info", "xml")
	require.ErrorContains(t, err, "json or text")
}
