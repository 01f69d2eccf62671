package node

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"axgate/config"
	"axgate/ledger/pgtest"
	"axgate/routing"
	"axgate/sip/sdp"
	"axgate/sip/trunk"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

func TestPlan(t *testing.T) {
	p, err := plan(&config.Plan{Country: "86", X: []string{"700XXXXXXXXXXXX"}})
	require.NoError(t, err)
	china := routing.ChinaPlan()
	require.Equal(t, china.Mobile, p.Mobile, "what a Chinese plan leaves out is China's")
	require.Equal(t, []routing.Pattern{"700XXXXXXXXXXXX"}, p.X)
	_, err = plan(&config.Plan{Country: "65"})
	require.ErrorContains(t, err, "plan.international", "another country has nothing by itself")
}

func TestTrunks(t *testing.T) {
	table, err := trunks([]config.Trunk{{Name: "a", Address: "127.0.0.1:5080", Peers: []string{"192.0.2.0/24"}, Transport: "udp"}})
	require.NoError(t, err)
	require.Len(t, table.Out(), 1)
	_, ok := table.From(netip.MustParseAddrPort("192.0.2.9:5060"), "UDP")
	require.True(t, ok)
	media := config.TrunkMedia{RTPTimeout: "1m", RTCPMux: "offer"}
	table, err = trunks([]config.Trunk{{Name: "a", Address: "127.0.0.1:5080", Transport: "udp", TrunkMedia: media}})
	require.NoError(t, err)
	require.Equal(t, trunk.Media{Timeout: time.Minute, Mux: sdp.MuxOffer}, table.Out()[0].Media)
	for said, want := range map[string]bool{"0": true, "0s": true, "": false} {
		table, err = trunks([]config.Trunk{{Name: "a", Address: "127.0.0.1:5080", Transport: "udp", TrunkMedia: config.TrunkMedia{RTPTimeout: said, RTCPMux: "off"}}})
		require.NoError(t, err)
		require.Equal(t, trunk.Media{Patient: want}, trunk.Media{Patient: table.Out()[0].Media.Patient, Timeout: table.Out()[0].Media.Timeout}, said)
	}
	_, err = trunks([]config.Trunk{{Name: "a", TrunkMedia: config.TrunkMedia{RTPTimeout: "long", RTCPMux: "off"}}})
	require.ErrorContains(t, err, "rtp_timeout")
	_, err = trunks([]config.Trunk{{Name: "a", TrunkMedia: config.TrunkMedia{RTCPMux: "always"}}})
	require.ErrorContains(t, err, "rtcp_mux")
	_, err = trunks([]config.Trunk{{Name: "a", Peers: []string{"nowhere"}}, {Name: "b", Address: "127.0.0.1:5060", Codecs: []string{"G728"}}})
	require.ErrorContains(t, err, "trunks[0].peers")
	require.ErrorContains(t, err, "G728", "all that is wrong is told")
}

// TestTrunksThatProve: registrations and names reach the table.
func TestTrunksThatProve(t *testing.T) {
	table, err := trunks([]config.Trunk{
		{Name: "a", Address: "127.0.0.1:5080", Password: "p", TrunkEnrol: config.TrunkEnrol{Register: true, RegisterID: "+862160000000@ims.example", RegisterUser: "u@private.example",
			RegisterDomain: "home.example", RegisterExpires: time.Minute, RegisterIntroduce: true}},
		{Name: "b", TrunkAuth: config.TrunkAuth{AuthUsername: "pbx7", AuthPassword: "secret of it"}}})
	require.NoError(t, err)
	require.Equal(t, trunk.Enrol{On: true, ID: "+862160000000@ims.example", User: "u@private.example", Domain: "home.example", Expires: time.Minute, Introduce: true}, table.All()[0].Enrol)
	require.Equal(t, trunk.Auth{Username: "pbx7", Password: "secret of it"}, table.All()[1].Auth)
}

// TestTrunksOverTLS: a certificate has to be of the host as it was written, not
// of the address that it was looked up to.
func TestTrunksOverTLS(t *testing.T) {
	table, err := trunks([]config.Trunk{{Name: "a", Address: "localhost:5061", Transport: "tls"}, {Name: "b", Address: "[2001:db8::1]:5061", Transport: "tls"},
		{Name: "c", Address: "127.0.0.9:5061", Transport: "tls", TLSName: "sbc.example", TLSCA: "ca.pem", TLSCert: "c.pem", TLSKey: "k.pem"}, {Name: "d", Address: "localhost:5060", Transport: "tcp"}})
	require.NoError(t, err)
	var got []trunk.TLS
	for _, tr := range table.Out() {
		got = append(got, tr.TLS)
	}
	require.Equal(t, []trunk.TLS{{Name: "localhost"}, {Name: "2001:db8::1"}, {Name: "sbc.example", CA: "ca.pem", Cert: "c.pem", Key: "k.pem"}, {}}, got)
}

func TestMediaAddress(t *testing.T) {
	c := config.Default()
	c.SIP.UDP = "127.0.0.3:5060"
	m, shown, err := mediaConfig(&c)
	require.NoError(t, err)
	require.Equal(t, "127.0.0.3", m.IP.String(), "that of SIP unless it is set")
	require.Equal(t, m.IP, shown)
	c.Media.IP, c.Media.Advertise = "127.0.0.4", "198.51.100.7"
	m, shown, err = mediaConfig(&c)
	require.NoError(t, err)
	require.Equal(t, []string{"127.0.0.4", "198.51.100.7"}, []string{m.IP.String(), shown.String()})
}

// TestDataDirectory: a node has it alone; what a dead node has left is not
// taken for a running one.
func TestDataDirectory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data")
	d, err := hold(context.Background(), path, true)
	require.NoError(t, err)
	require.NoError(t, d.announce(Running{PID: 1, Node: "n", Redis: "127.0.0.1:1"}))
	r, ok := FindRunning(path)
	require.True(t, ok)
	require.Equal(t, "n", r.Node)
	_, err = hold(context.Background(), path, false)
	require.True(t, IsHeld(err))

	require.NoError(t, d.release()) // as a killed process does, without withdrawing
	_, ok = FindRunning(path)
	require.False(t, ok)

	one, err := hold(context.Background(), path, false)
	require.NoError(t, err)
	two, err := hold(context.Background(), path, false)
	require.NoError(t, err, "commands share it")
	go func() {
		time.Sleep(100 * time.Millisecond)
		_ = errors.Join(one.release(), two.release())
	}()
	node, err := hold(context.Background(), path, true)
	require.NoError(t, err, "a node waits for commands at their end")
	require.NoError(t, errors.Join(node.withdraw(), node.release()))
}

// TestHalfAStart: whatever fails, all that was opened before is closed, so that
// the next start finds everything free.
func TestHalfAStart(t *testing.T) {
	c := config.Default()
	c.Data = t.TempDir()
	c.SIP.UDP, c.SIP.TCP, c.Redis.Embedded, c.HTTP.Listen = "127.0.0.1:0", config.Off, "127.0.0.1:0", "127.0.0.1:0"
	for name, spoil := range map[string]func(*config.Config){
		"plan":       func(c *config.Config) { c.Plan.Country = "x" },
		"data":       func(c *config.Config) { c.Data = "/dev/null/x" },
		"ledger":     func(c *config.Config) { c.Ledger.Path = "/dev/null/x.db" },
		"cache":      func(c *config.Config) { c.Redis.Embedded = "192.0.2.1:1" },
		"app":        func(c *config.Config) { c.Apps = []config.App{{Key: "a", Secret: "s", Account: "d", Mode: "AXC"}} },
		"media":      func(c *config.Config) { c.Media.IP = "192.0.2.1" },
		"recordings": func(c *config.Config) { c.Recording.Dir = "/dev/null/x" },
		"SIP":        func(c *config.Config) { c.SIP.UDP = "192.0.2.1:5060" },
		"phones": func(c *config.Config) {
			c.Registrar.Accounts = []config.Phone{{Number: "+861", Password: "long-enough"}}
		},
	} {
		bad := c
		spoil(&bad)
		_, err := Open(context.Background(), bad, zerolog.Nop())
		require.Error(t, err, name)
	}
	n, err := Open(context.Background(), c, zerolog.Nop())
	require.NoError(t, err)
	require.NoError(t, n.Serve())
	require.NoError(t, n.Close(context.Background()))
	_, err = os.Stat(filepath.Join(c.Data, runningFile))
	require.ErrorIs(t, err, os.ErrNotExist)
}
