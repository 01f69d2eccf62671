// Command calls measures what calls cost: of the product, and of what could be
// run in its place. Each system is started with a real redis-server, pairs of
// numbers are bound in it, and bench/load makes calls through it. The systems:
//
//	axgate    bin/axgate, without and with recording
//	kamailio  Kamailio and rtpengine, which do the same without recording (kamailio.go, kamailio.cfg.tmpl)
//	relay     bench/relay, which forwards packets, asks Redis once per call and notes three lines of it: what the machine allows
//
// What is measured, by rows:
//
//	media   CPU of an audio minute, added delay and memory per call, at each --calls
//	signal  CPU of 1,000 calls and delays at each of --rates, for each of --modes
//	speed   the most calls per second of which 99.9 % are good, at most 1 % need a retransmission, and 99 % reach the callee within T1; and without the last
//	once    the most calls at once with loss below 0.1 % and an added delay of p99 below 10 ms
//	sets    axgate only: signal again, AXB, over each of --sets, with the memory of a binding
//
// Every figure is of all processes of the system, Redis included, without the
// generator. Each row of each column has processes of its own. With several
// rounds the systems take turns in each, and the medians are printed.
//
//	go run ./bench/calls --rows media,signal
//	go run ./bench/calls --systems axgate,kamailio --rounds 3 --modes AXB --rows media,signal,speed,once
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
)

// options are what is measured.
type options struct {
	Systems  []string      `default:"axgate" enum:"axgate,kamailio,relay" help:"What calls are made through: axgate, kamailio, relay."`
	Rounds   int           `default:"1" help:"How often all is measured."`
	Bin      string        `default:"bin/axgate" type:"path" help:"The axgate under test."`
	Rows     []string      `default:"media,signal,speed,once,sets" enum:"media,signal,speed,once,sets" help:"What is measured."`
	Modes    []string      `default:"AXB,AX,AXE" enum:"AXB,AX,AXE" help:"signal: the modes of axgate; kamailio can do AXB."`
	Calls    []int         `default:"300,1000" help:"media: calls at once."`
	Build    float64       `default:"50" help:"media, once: calls begun and ended per second."`
	Rates    []float64     `default:"100" help:"signal: calls per second."`
	For      time.Duration `default:"30s" help:"How long each row is measured; signal has 3,000 calls at least, and once takes steps of a third."`
	Hold     time.Duration `default:"1s" help:"signal, speed, sets: how long a call is up."`
	Sets     []int         `default:"1000,100000,1000000,5000000" help:"sets: bindings."`
	Pairs    int           `default:"10000" help:"Bindings of each app in all other rows."`
	Record   string        `default:"both" enum:"both,yes,no" help:"Whether calls of axgate are recorded: both, yes or no."`
	Receiver string        `default:"none" enum:"none,takes,away" help:"Who is told of the events of axgate: none, a server that takes them, or one that is away, to which each is tried again and again."`
	Log      string        `default:"info" enum:"debug,info,warn,error" help:"axgate's log level."`
	Speed    float64       `default:"800" help:"speed: calls per second of the first try."`
	Most     float64       `default:"4000" help:"speed: no more calls per second are tried."`
	Once     float64       `default:"600" help:"once: calls of the first try."`
	Fine     float64       `default:"0.0625" help:"speed, once: how near to the least that fails the result is, as a share of it."`
	JSON     string        `name:"json" help:"The file that gets a line of JSON about the machine, one of each run, and one of each row." placeholder:"FILE" type:"path"`
	Dir      string        `help:"Where data is kept; a temporary directory if empty." placeholder:"DIR" type:"path"`
	Keep     bool          `help:"Leave the directory."`
}

func main() {
	var o options
	kong.Parse(&o, kong.Name("calls"), kong.Description("What calls cost: of axgate, and of what could be run in its place."), kong.ConfigureHelp(kong.HelpOptions{Compact: true}))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := measure(ctx, &o)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}
