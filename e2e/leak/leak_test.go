package leak

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
	"github.com/stretchr/testify/require"
	"github.com/warthog618/sms/encoding/gsm7"
	"pgregory.net/rapid"

	"axgate/e2e/capture"
)

const secret = "+8613812345678"

// ways are spellings of the secret that have to be found anywhere.
func ways() map[string]string {
	return map[string]string{
		"global":          "+8613812345678",
		"international":   "008613812345678",
		"with 86":         "8613812345678",
		"bare":            "13812345678",
		"with 0":          "013812345678",
		"separated":       "+86 138-1234-5678",
		"bracketed":       "(138) 1234.5678",
		"escaped plus":    url.QueryEscape("+8613812345678"),
		"escaped all":     "%31%33%38%31%32%33%34%35%36%37%38",
		"base64":          base64.StdEncoding.EncodeToString([]byte("+8613812345678")),
		"base64, later":   base64.StdEncoding.EncodeToString([]byte("a13812345678")),
		"base64, latest":  base64.StdEncoding.EncodeToString([]byte("ab13812345678@example.com")),
		"base64url, bare": base64.RawURLEncoding.EncodeToString([]byte("13812345678")),
		"hex":             hex.EncodeToString([]byte("13812345678")),
		"upper hex":       strings.ToUpper(hex.EncodeToString([]byte("+8613812345678"))),
		"utf-16":          "1\x003\x008\x001\x002\x003\x004\x005\x006\x007\x008\x00",
		"address":         "\x0d\x91\x68\x31\x18\x32\x54\x76\xf8",
		"address with 0":  "\x0c\x81\x10\x83\x21\x43\x65\x87",
		"utf-16be":        "\x001\x003\x008\x001\x002\x003\x004\x005\x006\x007\x008",
	}
}

func TestSpellings(t *testing.T) {
	for name, text := range ways() {
		t.Run(name, func(t *testing.T) {
			for _, around := range []string{"%s", "SIP/2.0 200 OK\r\nContact: <sip:%s@10.0.0.1>\r\n\r\n", "\x80\x08\x01\xff%s\xd5\xd5"} {
				require.NotEmpty(t, Text("x", fmt.Appendf(nil, around, text), []string{secret}), "%q", text)
			}
		})
	}
}

func TestNothingElseIsFound(t *testing.T) {
	for _, text := range []string{
		"", "+86138****5678", "+8617010000001", "1381234567", "3812345678 1", "tag=138123a45678", "13812 SIP 345678",
		base64.StdEncoding.EncodeToString([]byte("13812445678")),
	} {
		require.Empty(t, Text("x", []byte(text), []string{secret}), "%q", text)
	}
}

// TestServiceNumber: five digits stand in fractions and identifiers by chance.
func TestServiceNumber(t *testing.T) {
	const service = "+8695588"
	for _, text := range []string{
		"95588", "sip:95588@10.0.0.1", "<tel:+8695588>", "008695588", "095588", "caller=95588 ", "9-55-88", "%2B8695588", "a95588 95588", `"text":"call\n95588"`,
		base64.StdEncoding.EncodeToString([]byte("+8695588")), hex.EncodeToString([]byte("95588")), "9\x005\x005\x008\x008\x00",
	} {
		require.NotEmpty(t, Text("x", []byte(text), []string{service}), "%q", text)
	}
	for _, text := range []string{"jitter_ms=0.7120893595295588 leg=callee", "session=1f95588", "955880", "95588f", "\x80\x08\x59\x85\x08"} {
		require.Empty(t, Text("x", []byte(text), []string{service}), "%q", text)
	}
}

// TestBase64Anywhere puts the number at any place of any text.
func TestBase64Anywhere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "before") + "13812345678" + rapid.String().Draw(t, "after")
		if len(Text("x", []byte(base64.StdEncoding.EncodeToString([]byte(text))), []string{secret})) == 0 {
			t.Fatalf("not found in the base64 of %q", text)
		}
	})
}

// TestSeptetsAnywhere puts the number at any place of a text in septets.
func TestSeptetsAnywhere(t *testing.T) {
	digit := rapid.StringMatching(`[ -Z]{0,20}`)
	rapid.Check(t, func(t *rapid.T) {
		code, err := gsm7.Encode([]byte(digit.Draw(t, "before") + "13812345678" + digit.Draw(t, "after")))
		if err != nil {
			t.Fatal(err)
		}
		packed := gsm7.Pack7Bit(code, rapid.IntRange(0, 6).Draw(t, "fill bits"))
		if len(Text("x", packed, []string{secret})) == 0 {
			t.Fatalf("not found in %x", packed)
		}
	})
}

// TestGranted: what a party may be sent is no leak, and hides none.
func TestGranted(t *testing.T) {
	p := Party{Name: "callee", Addrs: []netip.AddrPort{callee}, Secret: []string{secret}, Granted: []string{"[From+8613812345678]"}}
	packet := func(text string) []capture.Packet {
		return []capture.Packet{{From: gate, To: callee, Payload: []byte(text)}}
	}
	for _, text := range []string{"你好[From+8613812345678]", "x[From+8613812345678]x[From+8613812345678]", "\x00[\x00F\x00r\x00o\x00m\x00+\x008\x006\x001\x003\x008\x001\x002\x003\x004\x005\x006\x007\x008\x00]"} {
		leaks, err := Sent(packet(text), []Party{p})
		require.NoError(t, err)
		require.Empty(t, leaks)
		leaks, err = Sent(packet(text+" +8613812345678"), []Party{p})
		require.NoError(t, err)
		require.NotEmpty(t, leaks)
	}
}

var (
	gate   = netip.MustParseAddrPort("127.0.0.1:5060")
	caller = netip.MustParseAddrPort("127.0.0.2:5070")
	callee = netip.MustParseAddrPort("127.0.0.3:5080")
)

// TestPlantedInACapture writes a pcap with a leak and reads it back.
func TestPlantedInACapture(t *testing.T) {
	parties := []Party{
		{Name: "caller", Addrs: []netip.AddrPort{caller}, Secret: []string{"+8613900000002"}},
		{Name: "callee", Addrs: []netip.AddrPort{netip.AddrPortFrom(callee.Addr(), 0)}, Secret: []string{secret}},
	}
	clean := []capture.Packet{
		{From: caller, To: gate, Payload: []byte("INVITE sip:17010000001@127.0.0.1 SIP/2.0\r\nFrom: <sip:+8613812345678@h>\r\n\r\n")},
		{From: gate, To: caller, Payload: []byte("SIP/2.0 200 OK\r\nFrom: <sip:+8613812345678@h>\r\n\r\n")},
		{From: gate, To: callee, Payload: []byte("INVITE sip:+8613900000002@127.0.0.3 SIP/2.0\r\nFrom: <sip:17010000001@h>\r\n\r\n")},
	}
	leaks, err := Sent(written(t, clean), parties)
	require.NoError(t, err)
	require.Empty(t, leaks, "each may see his own number")

	for name, text := range ways() {
		planted := append(append([]capture.Packet(nil), clean...),
			capture.Packet{From: gate, To: netip.AddrPortFrom(callee.Addr(), 30000), Payload: []byte("\x80\x08\x00\x01 " + text)})
		leaks, err := Sent(written(t, planted), parties)
		require.NoError(t, err)
		require.NotEmpty(t, leaks, name)
		require.Equal(t, "callee", leaks[0].Party)
		require.Equal(t, secret, leaks[0].Number)
	}

	segment := func(seq uint32, text string) capture.Packet {
		return capture.Packet{From: gate, To: callee, TCP: true, Seq: seq, Payload: []byte(text)}
	}
	split := append(append([]capture.Packet(nil), clean...), // out of order, and one part twice
		segment(1008, "345678@h>"), segment(1000, "P: 13812"), segment(1000, "P: 138"))
	leaks, err = Sent(written(t, split), parties)
	require.NoError(t, err)
	require.Len(t, leaks, 1)

	_, err = Sent(written(t, clean[:2]), parties)
	require.ErrorContains(t, err, "nothing was sent to callee")
}

// written takes packets through a pcap file.
func written(t *testing.T, packets []capture.Packet) []capture.Packet {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.pcap")
	f, err := os.Create(path)
	require.NoError(t, err)
	w := pcapgo.NewWriter(f)
	require.NoError(t, w.WriteFileHeader(65536, layers.LinkTypeEthernet))
	for i, p := range packets {
		ip := &layers.IPv4{Version: 4, TTL: 64, SrcIP: p.From.Addr().AsSlice(), DstIP: p.To.Addr().AsSlice(), Protocol: layers.IPProtocolUDP}
		var over gopacket.SerializableLayer
		if p.TCP {
			ip.Protocol = layers.IPProtocolTCP
			tcp := &layers.TCP{SrcPort: layers.TCPPort(p.From.Port()), DstPort: layers.TCPPort(p.To.Port()), Seq: p.Seq, ACK: true}
			require.NoError(t, tcp.SetNetworkLayerForChecksum(ip))
			over = tcp
		} else {
			udp := &layers.UDP{SrcPort: layers.UDPPort(p.From.Port()), DstPort: layers.UDPPort(p.To.Port())}
			require.NoError(t, udp.SetNetworkLayerForChecksum(ip))
			over = udp
		}
		buf := gopacket.NewSerializeBuffer()
		require.NoError(t, gopacket.SerializeLayers(buf, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true},
			&layers.Ethernet{SrcMAC: make([]byte, 6), DstMAC: make([]byte, 6), EthernetType: layers.EthernetTypeIPv4}, ip, over, gopacket.Payload(p.Payload)))
		require.NoError(t, w.WritePacket(gopacket.CaptureInfo{Timestamp: time.Unix(int64(i), 0), CaptureLength: len(buf.Bytes()), Length: len(buf.Bytes())}, buf.Bytes()))
	}
	require.NoError(t, f.Close())
	all, err := capture.Read(path)
	require.NoError(t, err)
	require.Len(t, all, len(packets))
	return all
}

func TestFixedLine(t *testing.T) {
	require.NotEmpty(t, Text("log", []byte("called 0755-28000001"), []string{"+8675528000001"}))
}
