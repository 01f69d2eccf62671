package provision_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"axgate/ledger"
	"axgate/provision"
	"axgate/routing"
)

// Homes of A by the table of areas.
const (
	inBeijing   = "+86138000" // 010
	inShenzhen  = "+86135100" // 0755
	inZhongshan = "+86130055" // 0760, Guangdong
	inHangzhou  = "+86137380" // 0571, Zhejiang
	unknownHome = "+86171000" // nobody tells where
)

// chooser makes AXB bindings of ever new pairs and tells which X they get.
type chooser struct {
	*office
	made int
}

// x binds a pair whose A is of a segment.
func (c *chooser) x(segment, code, mode string) string {
	c.made++
	return c.pair(fmt.Sprintf("%s%05d", segment, c.made), fmt.Sprintf("+86136%08d", c.made), code, mode)
}

func (c *chooser) pair(a, b, code, mode string) string {
	bound, err := c.BindAXB(c.ctx, "app", provision.BindAXB{CallerNum: a, CalleeNum: b, Area: provision.Area{AreaCode: code, AreaMatchMode: mode}})
	if err != nil {
		return outcome(err)
	}
	return string(bound.X)
}

// all is what many choices come upon.
func (c *chooser) all(segment, code, mode string) []string {
	seen := map[string]bool{}
	var all []string
	for range 40 {
		if x := c.x(segment, code, mode); !seen[x] {
			seen[x] = true
			all = append(all, x)
		}
	}
	return all
}

// TestChoose: strict is the area alone; loose is the area, then its province by
// the table, then any X of the app.
func TestChoose(t *testing.T) {
	onBoth(t, routing.AXB, func(t *testing.T, o *office) {
		c := chooser{office: o, made: 1000} // beyond anna and the others
		guangdong, everyone := []string{x1, x2, x3}, []string{x1, x2, x3, x4}
		for _, is := range []struct {
			name, segment, code, mode string
			want                      []string
		}{
			{"strict is the default", inBeijing, "0755", "", []string{x1, x2}},
			{"strict", inBeijing, "020", "0", []string{x3}},
			{"strict without numbers", inBeijing, "0571", "0", []string{"1012008"}},
			{"strict, numbers in the province", inBeijing, "0760", "", []string{"1012008"}},
			{"strict, an area that nobody has", inBeijing, "0026", "", []string{"1012008"}},
			{"loose, the area first", inBeijing, "0755", "1", []string{x1, x2}},
			{"loose, the province by the table", inBeijing, "0760", "1", guangdong},
			{"loose, any", inBeijing, "0571", "1", everyone},
			{"loose, an area that nobody has", inBeijing, "0026", "1", everyone},
			{"home of A", inShenzhen, "", "", []string{x1, x2}},
			{"home of A, another", inBeijing, "", "0", []string{x4}},
			{"home of A, strict", inHangzhou, "", "", []string{"1012008"}},
			{"home of A, its province", inZhongshan, "", "1", guangdong},
			{"home of A, any", inHangzhou, "", "1", everyone},
			{"unknown home, any", unknownHome, "", "", everyone},
			{"a fixed line's own area", "+86755280", "", "", []string{x1, x2}},
			{"an area wins over A's", inShenzhen, "010", "", []string{x4}},
		} {
			require.ElementsMatch(t, is.want, c.all(is.segment, is.code, is.mode), is.name)
		}
		require.Equal(t, "1010002 areaCode", c.x(inBeijing, "755", "1"), "without its 0")

		// An X that knows A or B is not chosen.
		first, second := c.pair(anna, bert, "0755", ""), c.pair(anna, carl, "0755", "")
		require.ElementsMatch(t, []string{x1, x2}, []string{first, second})
		require.Equal(t, "1012008", c.pair(dora, anna, "0755", ""))
		require.Equal(t, x3, c.pair(anna, dora, "0755", "1"), "the province has another")
		require.Equal(t, x4, c.pair(anna, fixed, "0755", "1"), "and then the app")
		require.Equal(t, "1012008", c.pair(anna, tel(1), "0755", "1"))

		_, err := o.SetStatus(o.ctx, x3, routing.StatusUnavailable, "")
		require.NoError(t, err)
		require.Equal(t, "1012008", c.x(inBeijing, "020", ""))
		require.ElementsMatch(t, []string{x1, x2}, c.all(inBeijing, "020", "1"))
		o.agrees()
	})
}

// TestChooseExhausted: with no X left each mode has its own code, and an X whose
// binding has ended is there again, swept or not.
func TestChooseExhausted(t *testing.T) {
	for mode, code := range map[routing.Mode]string{routing.AX: "1011002", routing.AXB: "1012008", routing.AXE: "1012008"} {
		t.Run(string(mode), func(t *testing.T) {
			onBoth(t, mode, func(t *testing.T, o *office) {
				o.setting(func(a *ledger.App) { a.ExtDigits = 1 })
				next := 0
				bind := func(a, match string) string {
					next++
					wanted := provision.Area{AreaCode: "0755", AreaMatchMode: match}
					var err error
					switch mode {
					case routing.AX:
						_, err = o.BindAX(o.ctx, "app", provision.BindAX{OrigNum: tel(next), Area: wanted})
					case routing.AXB: // one A, so that each X takes but one pair
						_, err = o.BindAXB(o.ctx, "app", provision.BindAXB{CallerNum: a, CalleeNum: tel(next), Duration: 60, Area: wanted})
					default:
						_, err = o.BindAXE(o.ctx, "app", provision.BindAXE{BindNum: tel(next), TimeUnit: "1", BindExpiredTime: 1, Area: wanted})
					}
					return outcome(err)
				}
				each := 1
				if mode == routing.AXE {
					each = 9
				}
				for range 2 * each {
					require.Equal(t, "0", bind(anna, ""))
				}
				require.Equal(t, code, bind(anna, ""))
				for range 2 * each { // 020 and 010
					require.Equal(t, "0", bind(anna, "1"))
				}
				require.Equal(t, code, bind(anna, "1"))
				require.Equal(t, code, bind(anna, ""))
				if mode == routing.AX { // has no end
					return
				}
				o.pass(time.Minute)
				for range 2 * each {
					require.Equal(t, "0", bind(anna, ""))
				}
				require.Equal(t, code, bind(anna, ""))
				o.agrees()
			})
		})
	}
}

// TestChooseAtOnce: many requests by area, on two nodes, fill each X of it and
// no further, and none fails while there is room.
func TestChooseAtOnce(t *testing.T) {
	onBoth(t, routing.AX, func(t *testing.T, o *office) {
		nodes := o.nodes(2)
		xs := 24
		for i := range xs {
			o.number(routing.X(fmt.Sprintf("+861701000%04d", 5000+i)), "app", "021", "Shanghai")
		}
		count := rush(xs, func(i int) error {
			_, err := nodes[i%2].BindAX(o.ctx, "app", provision.BindAX{OrigNum: tel(i), Area: provision.Area{AreaCode: "021"}})
			return err
		})
		require.Equal(t, map[string]int{"0": xs}, count)
		count = rush(4, func(i int) error {
			_, err := nodes[i%2].BindAX(o.ctx, "app", provision.BindAX{OrigNum: tel(100 + i), Area: provision.Area{AreaCode: "021"}})
			return err
		})
		require.Equal(t, map[string]int{"1011002": 4}, count)
		o.agrees()
	})
	onBoth(t, routing.AXE, func(t *testing.T, o *office) {
		nodes := o.nodes(2)
		o.setting(func(a *ledger.App) { a.ExtDigits = 1 })
		count := rush(2*9, func(i int) error {
			_, err := nodes[i%2].BindAXE(o.ctx, "app", provision.BindAXE{BindNum: tel(i), Area: provision.Area{AreaCode: "0755"}})
			return err
		})
		require.Equal(t, map[string]int{"0": 18}, count)
		count = rush(2*9+3, func(i int) error {
			_, err := nodes[i%2].BindAXE(o.ctx, "app", provision.BindAXE{BindNum: tel(100 + i), Area: provision.Area{AreaCode: "0755", AreaMatchMode: "1"}})
			return err
		})
		require.Equal(t, map[string]int{"0": 18, "1012008": 3}, count)
		o.agrees()
	})
	onBoth(t, routing.AXB, func(t *testing.T, o *office) {
		nodes := o.nodes(2)
		count := rush(10, func(i int) error {
			_, err := nodes[i%2].BindAXB(o.ctx, "app", provision.BindAXB{CallerNum: anna, CalleeNum: tel(i), Area: provision.Area{AreaCode: "0571", AreaMatchMode: "1"}})
			return err
		})
		require.Equal(t, map[string]int{"0": 4, "1012008": 6}, count, "an X takes A but once")
		o.agrees()
	})
}

// nodes are services on the same ledger and cache.
func (o *office) nodes(n int) []*provision.Service {
	all := []*provision.Service{o.Service}
	for len(all) < n {
		s, err := provision.New(provision.Config{Ledger: o.ledger, Cache: o.cache, Plan: routing.ChinaPlan(), Now: o.clock, Log: zerolog.Nop()})
		require.NoError(o.t, err)
		all = append(all, s)
	}
	return all
}

// TestNumbersArePlaced: an X has the city and province of its area code, by one
// name, and none that the code contradicts.
func TestNumbersArePlaced(t *testing.T) {
	o := newOffice(t, sqlite(t), routing.AXB)
	for _, c := range []struct{ code, city, province, want string }{
		{"0755", "", "", "Shenzhen Guangdong"},
		{"0755", "深圳市", "广东省", "Shenzhen Guangdong"},
		{"0512", "Kunshan", "jiangsu", "Kunshan Jiangsu"},
		{"0026", "Nowhere", "Else", "Nowhere Else"},
		{"", "", "", " "},
		{"0755", "", "Hunan", "1010002 province"},
		{"0755", "Guangzhou", "", "1010002 city"},
	} {
		n, err := o.AddNumber(o.ctx, ledger.Number{XNumber: routing.XNumber{X: "+8617010000055", App: "app", AreaCode: c.code, City: c.city, Province: c.province}})
		got := n.City + " " + n.Province
		if err != nil {
			got = outcome(err)
		}
		require.Equal(t, c.want, got, "%v", c)
	}
}
