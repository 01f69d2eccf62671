package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/rs/zerolog"

	"axgate/bench/load/meter"
	"axgate/config"
	"axgate/ledger"
	"axgate/node"
	"axgate/routing"
)

// The node's process is this program, with these variables.
const (
	childEnv  = "AXGATE_BENCH_DATA"
	driverEnv = "AXGATE_BENCH_DRIVER"
	dsnEnv    = "AXGATE_BENCH_DSN"
	redisEnv  = "AXGATE_BENCH_REDIS"
)

const (
	appKey    = "bench"
	appSecret = "secret-of-the-benchmark"
	manyX     = 200
)

// xNumber is one of the app's X, which are in areas of ten.
func xNumber(i int) string { return fmt.Sprintf("+8617010%06d", i%manyX) }

func area(i int) string { return fmt.Sprintf("07%02d", 51+i%manyX/10) }

// serve is the node's process. It names its address, and ends with its input.
func serve() error {
	ctx := context.Background()
	c := config.Default()
	c.Data = os.Getenv(childEnv)
	c.SIP.UDP, c.SIP.TCP, c.HTTP.Listen = "127.0.0.1:0", config.Off, "127.0.0.1:0"
	c.Redis.Address, c.Ledger.Driver, c.Ledger.DSN = os.Getenv(redisEnv), os.Getenv(driverEnv), os.Getenv(dsnEnv)
	c.HTTP.Rate = 0
	n, err := node.Open(ctx, c, zerolog.Nop())
	if err != nil {
		return err
	}
	if err := furnish(ctx, n); err != nil {
		return err
	}
	if err := n.Serve(); err != nil {
		return err
	}
	fmt.Println(n.Running().HTTP)
	_, _ = io.Copy(io.Discard, os.Stdin)
	ending, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	return n.Close(ending)
}

func furnish(ctx context.Context, n *node.Node) error {
	p := n.Provision()
	if err := p.EnsureAccount(ctx, ledger.Account{SP: "bench"}); err != nil {
		return err
	}
	if _, err := p.CreateApp(ctx, ledger.App{App: routing.App{Key: appKey, SP: "bench", Mode: routing.AXB}, Secret: appSecret}); err != nil {
		return err
	}
	for i := range manyX {
		x := routing.XNumber{X: routing.X(xNumber(i)), App: appKey, AreaCode: area(i)}
		if _, err := p.AddNumber(ctx, ledger.Number{XNumber: x}); err != nil {
			return err
		}
	}
	return nil
}

// process is the node's process.
type process struct {
	meter.Process
	address string
	cmd     *exec.Cmd
	input   io.Closer
}

func startNode(data, driver, dsn, redis string) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), childEnv+"="+data, driverEnv+"="+driver, dsnEnv+"="+dsn, redisEnv+"="+redis)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	input, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{Process: meter.Process{Name: "node", PID: cmd.Process.Pid}, cmd: cmd, input: input}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		p.stop()
		return nil, fmt.Errorf("the node does not start: %w", err)
	}
	p.address = strings.TrimSpace(line)
	return p, nil
}

func (p *process) stop() {
	_ = p.input.Close()
	_ = p.cmd.Wait()
}
