package config_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"axgate/config"
)

const profiled = `
profiles:
  - name: ours
    send_pai: true
    callee_format: national
    codecs: [PCMU]
    max_calls: 7
    extra_headers: {X-Customer: seven}
trunks:
  - name: a
    profile: ours
    address: 192.0.2.1:5060
    callee_format: digits
    max_calls: 0
  - name: b
    address: 192.0.2.2:5060
`

// TestProfile: a trunk has what its profile sets, but for what it sets itself,
// and defaults for the rest.
func TestProfile(t *testing.T) {
	c, err := load(t, profiled, "AXGATE_TRUNKS_0_CODECS=PCMA")
	require.NoError(t, err)
	a, b := c.Trunks[0], c.Trunks[1]
	require.True(t, a.SendPAI)
	require.Equal(t, "digits", a.CalleeFormat, "its own")
	require.Zero(t, a.MaxCalls, "its own, although it is zero")
	require.Equal(t, []string{"PCMA"}, a.Codecs, "of a variable")
	require.Equal(t, "e164", a.FromFormat, "the default, which the profile does not set")
	require.Equal(t, map[string]string{"X-Customer": "seven"}, a.ExtraHeaders)
	require.Equal(t, "a", a.Name)
	require.False(t, b.SendPAI, "b has no profile")

	var out bytes.Buffer
	require.NoError(t, c.Print(&out))
	again, err := load(t, out.String())
	require.NoError(t, err, out.String())
	var same bytes.Buffer
	require.NoError(t, again.Print(&same))
	require.Equal(t, out.String(), same.String())
	require.NotContains(t, out.String()[strings.Index(out.String(), "profiles:"):strings.Index(out.String(), "registrar:")], "from_format", "only what was set")
}

// TestProfileByVariables: a profile can be made without a file.
func TestProfileByVariables(t *testing.T) {
	c, err := load(t, "", "AXGATE_PROFILES_0_NAME=v", "AXGATE_PROFILES_0_SEND_PPI=true", "AXGATE_TRUNKS_0_NAME=a", "AXGATE_TRUNKS_0_ADDRESS=192.0.2.1:5060", "AXGATE_TRUNKS_0_PROFILE=v")
	require.NoError(t, err)
	require.True(t, c.Trunks[0].SendPPI)
}

// TestShippedProfiles: each can be named without being there, its values pass
// all checks, and a profile of the same name takes its place.
func TestShippedProfiles(t *testing.T) {
	const trunk = "trunks:\n  - {name: a, address: \"192.0.2.1:5060\", profile: %s}\n"
	names := []string{}
	for _, p := range config.Shipped() {
		names = append(names, p.Name)
		c, err := load(t, strings.Replace(trunk, "%s", p.Name, 1))
		require.NoError(t, err)
		require.True(t, c.Trunks[0].SendPAI, "X has to be in P-Asserted-Identity")
		require.Equal(t, []string{"pai", "from"}, c.Trunks[0].IdentitySource)
		require.Empty(t, c.Notes())
	}
	require.Equal(t, []string{"china-ims", "international"}, names)
	var out bytes.Buffer
	require.NoError(t, config.PrintShipped(&out))
	c, err := load(t, out.String())
	require.NoError(t, err, out.String())
	require.Len(t, c.Profiles, 2)
	c, err = load(t, "profiles:\n  - {name: china-ims, send_pai: false}\n"+strings.Replace(trunk, "%s", "china-ims", 1))
	require.NoError(t, err)
	require.False(t, c.Trunks[0].SendPAI)
}

func TestBadProfiles(t *testing.T) {
	for want, text := range map[string]string{
		`trunks[0].profile: there is no profile "china_ims": did you mean china-ims?`:                                    "trunks:\n  - {name: a, address: \"h:1\", profile: china_ims}",
		`trunks[0].profile: there is no profile "none-of-them": use china-ims or international, or make one in profiles`: "trunks:\n  - {name: a, address: \"h:1\", profile: none-of-them}",
		"profiles[0].name: it is missing":                                                       "profiles:\n  - send_pai: true",
		"profiles[1].name: there are two of \"p\"":                                              "profiles:\n  - name: p\n  - name: p",
		"profiles[0].profile: a profile has none itself":                                        "profiles:\n  - {name: p, profile: china-ims}",
		"profiles[0].send_pay: there is no such key: did you mean send_pai?":                    "profiles:\n  - {name: p, send_pay: true}",
		`trunks[0].dtmf: "tones": use auto, rfc4733, info or inband (profile p, axgate.yaml:2)`: "profiles:\n  - {name: p, dtmf: tones}\ntrunks:\n  - {name: a, address: \"h:1\", profile: p}",
	} {
		_, err := load(t, text)
		require.Error(t, err, want)
		require.Contains(t, err.Error(), want)
	}
	c, err := load(t, "profiles:\n  - {name: p, dtmf: tones}")
	require.NoError(t, err)
	require.Equal(t, []string{"no trunk has the profile p, so its values were not checked"}, c.Notes())
}
