// Command load makes calls through a system that masks numbers, and measures
// what that costs. Callers and callees are in this one process, so that one
// clock, the kernel's, times both ends. Nothing that it sends knows what the
// system under test is: it is told where callers' INVITEs go, and the system has
// to send its calls to the callees' address.
//
//	go run ./bench/load signal --target 127.0.1.1:5060 --rate 100 --process axgate=4711
//	go run ./bench/load media --target 127.0.1.1:5060 --calls 300 --process axgate=4711
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"axgate/bench/load/meter"
)

// options are what all loads have in common.
type options struct {
	network
	plan

	Processes []meter.Process `name:"process" help:"A process under test, as name=pid, with all that descend from it; any number of them." placeholder:"NAME=PID"`
	Patience  time.Duration   `default:"32s" help:"How long a call may stand still before it counts as bad."`
	Late      time.Duration   `default:"5ms" help:"A run is invalid if a hundredth of what it did was later than this."`
	Name      string          `help:"What the result is called." placeholder:"TEXT"`
	JSON      string          `name:"json" help:"The file to which the result is added as a line of JSON; - is standard output, in place of the table." placeholder:"FILE" type:"path"`
}

func main() {
	var cli struct {
		options
		Signal signalCmd `cmd:"" help:"Calls come and go; next to nothing is said."`
		Media  mediaCmd  `cmd:"" help:"Many calls are up at once, and both sides speak."`
	}
	k := kong.Parse(&cli, kong.Name("load"), kong.Description("Calls through a system that masks numbers, and what they cost."), kong.ConfigureHelp(kong.HelpOptions{Compact: true}))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	k.BindTo(ctx, (*context.Context)(nil))
	err := k.Run(&cli.options)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}

// print writes the result where it is wanted.
func (o *options) print(r *result) error {
	if o.JSON == "-" {
		return r.line(os.Stdout)
	}
	if err := r.table(os.Stdout); err != nil || o.JSON == "" {
		return err
	}
	f, err := os.OpenFile(o.JSON, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	return errors.Join(r.line(f), f.Close())
}
