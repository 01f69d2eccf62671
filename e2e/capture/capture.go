// Package capture records the packets of a test on the loopback interface
// with tcpdump, and takes them apart: datagrams, TCP streams, and what was
// heard at an RTP port.
package capture

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
	"github.com/pion/rtp"
	"github.com/zaf/g711"

	"axgate/phone/timeline"
)

// Packet is a UDP datagram or a TCP segment with data.
type Packet struct {
	At       time.Time
	From, To netip.AddrPort
	TCP      bool
	Seq      uint32 // of TCP
	Payload  []byte
}

// Capture is a recording under way.
type Capture struct {
	path   string
	cmd    *exec.Cmd
	stderr *bufio.Reader
}

// Start records what passes the loopback interface and fits a pcap filter,
// for example "udp portrange 12000-32000". It needs the right to capture.
func Start(dir, filter string) (*Capture, error) {
	bin, err := exec.LookPath("tcpdump")
	if err != nil {
		return nil, fmt.Errorf("tcpdump is needed (apt-get install tcpdump): %w", err)
	}
	c := &Capture{path: filepath.Join(dir, "capture.pcap")}
	// The buffer of 64 MiB holds what comes while the machine is busy.
	c.cmd = exec.Command(bin, "-i", "lo", "-n", "-U", "-s", "0", "-B", "65536", "-Z", "root", "-w", c.path, filter)
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	pipe, err := c.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	c.stderr = bufio.NewReader(pipe)
	if err := c.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start tcpdump: %w", err)
	}
	var said strings.Builder
	for {
		line, err := c.stderr.ReadString('\n')
		said.WriteString(line)
		if strings.Contains(line, "listening on") {
			return c, nil
		}
		if err != nil {
			_ = c.cmd.Wait()
			return nil, fmt.Errorf("tcpdump does not listen: %s", strings.TrimSpace(said.String()))
		}
	}
}

var dropped = regexp.MustCompile(`(?m)^([0-9]+) packets dropped`)

// Stop ends the recording and gives all of it. It is an error if the kernel
// dropped packets: what nobody saw proves nothing.
func (c *Capture) Stop() ([]Packet, error) {
	// tcpdump reads the kernel's blocks when they are full or a second old.
	time.Sleep(1300 * time.Millisecond)
	if err := c.cmd.Process.Signal(syscall.SIGINT); err != nil {
		return nil, fmt.Errorf("stop tcpdump: %w", err)
	}
	said, _ := io.ReadAll(c.stderr)
	if err := c.cmd.Wait(); err != nil {
		return nil, fmt.Errorf("tcpdump: %w: %s", err, said)
	}
	m := dropped.FindSubmatch(said)
	if m == nil {
		return nil, fmt.Errorf("tcpdump does not say what it dropped: %s", said)
	}
	if string(m[1]) != "0" {
		return nil, fmt.Errorf("tcpdump lost packets: %s", said)
	}
	return Read(c.path)
}

// Path is the pcap file.
func (c *Capture) Path() string { return c.path }

// Read reads a pcap file.
func Read(path string) ([]Packet, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r, err := pcapgo.NewReader(bufio.NewReaderSize(f, 1<<20))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	if r.LinkType() != layers.LinkTypeEthernet {
		return nil, fmt.Errorf("read %s: link type %v: want Ethernet, as loopback has it", path, r.LinkType())
	}
	var all []Packet
	d := newDecoder()
	for {
		data, info, err := r.ReadPacketData()
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return all, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", path, err)
		}
		if p, ok := d.packet(data, info); ok {
			all = append(all, p)
		}
	}
}

// decoder reads one packet after the other without building a tree of each.
type decoder struct {
	eth    layers.Ethernet
	ip     layers.IPv4
	udp    layers.UDP
	tcp    layers.TCP
	parser *gopacket.DecodingLayerParser
	found  []gopacket.LayerType
}

func newDecoder() *decoder {
	d := &decoder{}
	d.parser = gopacket.NewDecodingLayerParser(layers.LayerTypeEthernet, &d.eth, &d.ip, &d.udp, &d.tcp)
	d.parser.IgnoreUnsupported = true
	return d
}

func (d *decoder) packet(data []byte, info gopacket.CaptureInfo) (Packet, bool) {
	_ = d.parser.DecodeLayers(data, &d.found) // what it cannot read is not in found
	p := Packet{At: info.Timestamp}
	for _, l := range d.found {
		from, _ := netip.AddrFromSlice(d.ip.SrcIP)
		to, _ := netip.AddrFromSlice(d.ip.DstIP)
		switch l {
		case layers.LayerTypeUDP:
			p.From, p.To = netip.AddrPortFrom(from, uint16(d.udp.SrcPort)), netip.AddrPortFrom(to, uint16(d.udp.DstPort))
			p.Payload = slices.Clone(d.udp.Payload)
		case layers.LayerTypeTCP:
			p.From, p.To = netip.AddrPortFrom(from, uint16(d.tcp.SrcPort)), netip.AddrPortFrom(to, uint16(d.tcp.DstPort))
			p.TCP, p.Seq, p.Payload = true, d.tcp.Seq, slices.Clone(d.tcp.Payload)
		}
	}
	return p, len(p.Payload) > 0
}

// Flow is everything that one end sent to another: the datagrams of UDP one by
// one, a TCP connection's data in one piece.
type Flow struct {
	From, To netip.AddrPort
	TCP      bool
	First    time.Time
	Data     [][]byte
}

// Flows sorts packets by direction.
func Flows(packets []Packet) []Flow {
	type key struct {
		from, to netip.AddrPort
		tcp      bool
	}
	sorted := make(map[key][]Packet)
	var order []key
	for _, p := range packets {
		k := key{p.From, p.To, p.TCP}
		if _, ok := sorted[k]; !ok {
			order = append(order, k)
		}
		sorted[k] = append(sorted[k], p)
	}
	flows := make([]Flow, 0, len(order))
	for _, k := range order {
		f := Flow{From: k.from, To: k.to, TCP: k.tcp, First: sorted[k][0].At}
		if k.tcp {
			f.Data = [][]byte{join(sorted[k])}
		} else {
			for _, p := range sorted[k] {
				f.Data = append(f.Data, p.Payload)
			}
		}
		flows = append(flows, f)
	}
	return flows
}

// join puts TCP segments together by their sequence numbers. What was sent
// twice stands once.
func join(segments []Packet) []byte {
	base := segments[0].Seq
	offset := func(p Packet) int { return int(int32(p.Seq - base)) }
	segments = slices.Clone(segments)
	slices.SortStableFunc(segments, func(a, b Packet) int { return cmp.Compare(offset(a), offset(b)) })
	var out []byte
	end := offset(segments[0])
	for _, s := range segments {
		skip := max(0, end-offset(s))
		if skip >= len(s.Payload) {
			continue
		}
		out = append(out, s.Payload[skip:]...)
		end = offset(s) + len(s.Payload)
	}
	return out
}

// Heard is what somebody with an ear at an address hears of the G.711 sent to
// it, from the first packet on, and the sources it came from.
func Heard(packets []Packet, at netip.AddrPort) (timeline.Heard, []timeline.Stream) {
	var line *timeline.Line
	for _, p := range packets {
		var r rtp.Packet
		if p.TCP || p.To != at || r.Unmarshal(p.Payload) != nil {
			continue
		}
		if line == nil {
			line = timeline.New(p.At)
		}
		switch r.PayloadType {
		case 8:
			line.Packet(&r.Header, r.Payload, p.At)
		case 0:
			line.Packet(&r.Header, g711.Ulaw2Alaw(r.Payload), p.At)
		default:
			line.Packet(&r.Header, nil, p.At)
		}
	}
	if line == nil {
		return timeline.Heard{}, nil
	}
	return line.Heard(), line.Streams()
}
