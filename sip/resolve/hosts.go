package resolve

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/miekg/dns"
	"github.com/rs/zerolog"
)

// maxHosts is the most bytes of a hosts file; of a longer one nothing counts:
// half a file would name half of the servers.
const maxHosts = 1 << 20

// hostsFile is what /etc/hosts says, as it was read last.
type hostsFile struct {
	path string
	log  zerolog.Logger

	mu      sync.Mutex
	changed time.Time // of the file
	size    int64     // of the file; 0: there is none
	names   map[string][]netip.Addr
}

// now are the names of the file and their addresses; the map is not to be changed.
func (f *hostsFile) now() map[string][]netip.Addr {
	f.mu.Lock()
	defer f.mu.Unlock()
	info, err := os.Stat(f.path)
	if err != nil {
		f.names, f.changed, f.size = nil, time.Time{}, 0
		return nil
	}
	if info.ModTime().Equal(f.changed) && info.Size() == f.size {
		return f.names
	}
	f.changed, f.size = info.ModTime(), info.Size()
	if f.names, err = readHosts(f.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		f.log.Warn().Err(err).Msg("the hosts file is left out")
	}
	return f.names
}

func readHosts(path string) (map[string][]netip.Addr, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open the hosts file: %w", err)
	}
	defer func() { _ = file.Close() }()
	text, err := io.ReadAll(io.LimitReader(file, maxHosts+1))
	if err != nil {
		return nil, fmt.Errorf("read the hosts file %s: %w", path, err)
	}
	if len(text) > maxHosts {
		return nil, fmt.Errorf("hosts file %s: it has more than %d bytes", path, maxHosts)
	}
	return parseHosts(string(text)), nil
}

// parseHosts reads lines of an address and its names. What is no line of this
// kind is left out, and so are addresses that nothing can be sent to: they are
// there to block a name.
func parseHosts(text string) map[string][]netip.Addr {
	names := make(map[string][]netip.Addr)
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		fields := strings.Fields(line)
		if len(fields) < 2 {
			continue
		}
		ip, err := netip.ParseAddr(fields[0])
		if ip = ip.Unmap(); err != nil || !reachable(ip) || ip.Zone() != "" {
			continue
		}
		for _, n := range fields[1:] {
			if n = hostKey(n); !slices.Contains(names[n], ip) {
				names[n] = append(names[n], ip)
			}
		}
	}
	return names
}

func hostKey(name string) string { return strings.ToLower(strings.TrimSuffix(name, ".")) }

var loopback = []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()}

// inHosts are the addresses that a name has without DNS, in the networks that
// are used, the preferred first: those of the hosts file, and those of localhost,
// which never is asked about (RFC 6761 section 6.3).
func (l *lookup) inHosts(name string) []netip.Addr {
	name = hostKey(name)
	listed := l.listed[name]
	if len(listed) == 0 && dns.IsSubDomain("localhost.", name+".") {
		listed = loopback
	}
	if len(listed) == 0 {
		return nil
	}
	var all []netip.Addr
	for _, network := range l.cfg.Networks {
		n := 0
		for _, ip := range listed {
			if ip.Is4() == (network == IPv4) && n < maxAddrs {
				all = append(all, ip)
				n++
			}
		}
	}
	return all
}
