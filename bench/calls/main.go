// Command calls measures the running product: it starts bin/axgate with a real
// redis-server, binds sets of numbers by axgate bulk import, and has bench/load
// make calls through it. What is measured, by rows:
//
//	media   CPU of an audio minute, added delay and memory per call, at each --calls
//	signal  CPU of 1,000 calls and post-dial delay at --rate, for AXB, AX and AXE
//	speed   the most calls per second of which 99.9 % are good and at most 1 % need a retransmission
//	once    the most calls at once with loss below 0.1 % and an added delay of p99 below 10 ms
//	sets    signal again, AXB, over each of --sets, with the memory of a binding
//
// Every figure is of axgate and Redis together, without the generator. Each row
// has an axgate process of its own. Media, signal, speed and once come without
// and with recording.
//
//	go run ./bench/calls --rows media,signal
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
	Bin      string        `default:"bin/axgate" type:"path" help:"The program under test."`
	Rows     []string      `default:"media,signal,speed,once,sets" enum:"media,signal,speed,once,sets" help:"What is measured."`
	Calls    []int         `default:"300,1000" help:"media: calls at once."`
	Modes    []string      `default:"AXB,AX,AXE" enum:"AXB,AX,AXE" help:"signal: modes of apps."`
	Rate     float64       `default:"100" help:"signal, sets: calls per second."`
	For      time.Duration `default:"30s" help:"How long each row is measured; speed and once take steps of a third."`
	Hold     time.Duration `default:"1s" help:"signal, speed, sets: how long a call is up."`
	Sets     []int         `default:"1000,100000,1000000,5000000" help:"sets: bindings."`
	Pairs    int           `default:"10000" help:"Bindings of each app in all other rows."`
	Record   string        `default:"both" enum:"both,yes,no" help:"Whether calls are recorded: both, yes or no."`
	Receiver bool          `help:"Events are pushed to a server of ours; else nobody is told."`
	Log      string        `default:"info" enum:"debug,info,warn,error" help:"axgate's log level."`
	Most     float64       `default:"4000" help:"speed: no more calls per second are tried."`
	JSON     string        `name:"json" help:"The file to which each run is added as a line of JSON." placeholder:"FILE" type:"path"`
	Dir      string        `help:"Where data is kept; a temporary directory if empty." placeholder:"DIR" type:"path"`
	Keep     bool          `help:"Leave the directory."`
}

func main() {
	var o options
	kong.Parse(&o, kong.Name("calls"), kong.Description("What calls through axgate cost."), kong.ConfigureHelp(kong.HelpOptions{Compact: true}))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := measure(ctx, &o)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}
