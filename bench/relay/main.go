// Command relay forwards the calls and the audio of bench/load and does nothing
// else: no transactions, no recording, no checks, one thread. What it costs is
// what the machine's sockets cost, and nobody can do with less who has a socket
// of its own for each leg. With --redis and --record each call also asks Redis
// once and leaves three lines on the disk.
//
//	go run ./bench/relay --at 127.0.1.1:5060
package main

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"

	"github.com/alecthomas/kong"

	"axgate/bench/load/message"
	"axgate/bench/load/wire"
)

// relay is all calls.
type relay struct {
	At      netip.AddrPort `default:"127.0.1.1:5060" help:"Where it takes calls, and with other ports audio."`
	Callers netip.AddrPort `default:"127.0.2.1:5060" help:"Who calls."`
	Callees netip.AddrPort `default:"127.0.2.2:5060" help:"Who is called."`
	RTP     int            `name:"rtp" default:"20000" help:"The first RTP port; four for each call."`
	Last    int            `default:"29999" help:"The last one."`
	From    uint64         `default:"8613800000000" help:"The first caller; others follow."`
	To      uint64         `default:"8613900000000" help:"The first callee; others follow. Pairs have the same place among both."`

	Redis  string `help:"A Redis that each call asks once, as host:port." placeholder:"ADDR"`
	Record string `help:"The file in which each call's begin, answer and end are noted." placeholder:"FILE" type:"path"`

	lookup *lookup // nil: nothing is asked
	record *record // nil: nothing is noted

	sip              *wire.Socket
	callers, callees wire.Address
	audio            audio
	calls            map[string]*call // by Call-ID
	free             []int            // ports, each with the three behind it
}

// call has the sockets of its legs: RTP and RTCP of the caller's, then of the
// callee's.
type call struct {
	port int
	legs [2][2]int
}

func main() {
	r := &relay{calls: make(map[string]*call)}
	kong.Parse(r, kong.Name("relay"), kong.Description("What the machine's sockets allow."), kong.ConfigureHelp(kong.HelpOptions{Compact: true}))
	// A wait that the scheduler does not know of would hold up a collection.
	debug.SetGCPercent(-1)
	runtime.LockOSThread()
	fmt.Fprintln(os.Stderr, "relay:", r.run())
	os.Exit(1)
}

// run forwards until it fails.
func (r *relay) run() (err error) {
	const buffer, each = 16 << 20, 4
	if r.sip, err = wire.Listen(r.At, buffer); err != nil {
		return err
	}
	r.callers, r.callees = wire.To(r.Callers), wire.To(r.Callees)
	for port := r.RTP; port+each-1 <= r.Last; port += each {
		r.free = append(r.free, port)
	}
	if r.Redis != "" {
		at, err := netip.ParseAddrPort(r.Redis)
		if err != nil {
			return fmt.Errorf("--redis: %w", err)
		}
		if r.lookup, err = openLookup(at); err != nil {
			return err
		}
	}
	if r.Record != "" {
		if r.record, err = openRecord(r.Record); err != nil {
			return err
		}
	}
	if err := r.audio.open(); err != nil {
		return err
	}
	if err := r.audio.watch(r.sip.FD()); err != nil {
		return err
	}
	return r.audio.serve(r.sip.FD(), func() error {
		_, err := r.sip.Receive(r.signal)
		return err
	})
}

// signal forwards a SIP message to the other side, with the callee in place of
// X and our audio in place of the sender's. What it puts in has the length of
// what was there, so that Content-Length stays right.
func (r *relay) signal(text []byte, from *wire.Address, _ int64) {
	var m message.Message
	if !m.Parse(text) {
		return
	}
	side, to := 0, &r.callees
	if from.AddrPort().Addr() == r.Callees.Addr() {
		side, to = 1, &r.callers
	}
	if err := r.edit(&m, side); err != nil {
		fmt.Fprintln(os.Stderr, "relay:", err)
		return
	}
	_ = r.sip.Send(text, to)
}

func (r *relay) edit(m *message.Message, side int) error {
	id := string(m.CallID)
	c := r.calls[id]
	if m.Is("INVITE") && c == nil {
		if len(r.free) == 0 {
			return errors.New("all ports are in use")
		}
		c = &call{port: r.free[0]}
		r.free, r.calls[id] = r.free[1:], c
	}
	if c == nil {
		return nil
	}
	if m.Is("INVITE") {
		if r.lookup != nil {
			if err := r.lookup.ask(m.User()); err != nil {
				return err
			}
		}
		_, caller, _ := bytes.Cut(m.From, []byte("+"))
		r.note("in", m)
		copy(m.User(), "+"+strconv.FormatUint(uint64(message.Number(caller))-r.From+r.To, 10))
	}
	if at := m.Session().Audio; at.IsValid() {
		if err := r.anchor(c, side, at); err != nil {
			return err
		}
		put(m.Body, at.Addr().String(), r.At.Addr().String())
		put(m.Body, "m=audio "+strconv.Itoa(int(at.Port())), "m=audio "+strconv.Itoa(c.port+2*(1-side)))
	}
	if m.Answers("INVITE") && m.Session().Audio.IsValid() {
		r.note("answer", m)
	}
	if m.Answers("BYE") {
		r.note("end", m)
		r.audio.end(c)
		r.free = append(r.free, c.port)
		delete(r.calls, id)
	}
	return nil
}

func (r *relay) note(what string, m *message.Message) {
	if r.record != nil {
		r.record.note(what, m.CallID)
	}
}

// put writes a text over all places of another one, which is as long.
func put(text []byte, was, is string) {
	for {
		i := bytes.Index(text, []byte(was))
		if i < 0 {
			return
		}
		text = text[i+copy(text[i:], is):]
	}
}

// anchor opens the sockets of a leg, and joins them to the other leg's.
func (r *relay) anchor(c *call, side int, at netip.AddrPort) error {
	if c.legs[side][0] > 0 {
		return nil
	}
	for i := range c.legs[side] {
		local := netip.AddrPortFrom(r.At.Addr(), uint16(c.port+2*side+i))
		fd, err := r.audio.connect(local, netip.AddrPortFrom(at.Addr(), at.Port()+uint16(i)))
		if err != nil {
			return err
		}
		c.legs[side][i] = fd
		if other := c.legs[1-side][i]; other > 0 {
			r.audio.peer[fd], r.audio.peer[other] = int32(other), int32(fd)
		}
	}
	return nil
}
