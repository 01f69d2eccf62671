package answer

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestASCII(t *testing.T) {
	in := "a & b <é> 中文 \U0001f600 \u2028 \x7f \"\\"
	text, err := ascii(in)
	require.NoError(t, err)
	for _, c := range text {
		require.True(t, c >= ' ' && c < 0x7f, "%q", text)
	}
	require.Contains(t, string(text), "a & b <")
	var out string
	require.NoError(t, json.Unmarshal(text, &out))
	require.Equal(t, in, out)
}
