package sms_test

import (
	"context"
	"fmt"
	"sync"

	"axgate/routing"
	"axgate/sms"
)

// carrier notes what it is given.
type carrier struct {
	name    string
	reaches func(routing.Number) bool // nil: everybody
	size    int                       // characters of a piece; 0: any
	send    func(ctx context.Context, o sms.Outgoing) error

	mu   sync.Mutex
	sent []sms.Outgoing // whatever became of them
}

func (c *carrier) Name() string { return c.name }

func (c *carrier) Reaches(n routing.Number) bool { return c.reaches == nil || c.reaches(n) }

func (c *carrier) Pieces(text string) int {
	if c.size == 0 {
		return 1
	}
	return (len(text) + c.size - 1) / c.size
}

func (c *carrier) Send(ctx context.Context, o sms.Outgoing) error {
	c.mu.Lock()
	c.sent = append(c.sent, o)
	c.mu.Unlock()
	if c.send == nil {
		return nil
	}
	return c.send(ctx, o)
}

func (c *carrier) got() []sms.Outgoing {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]sms.Outgoing(nil), c.sent...)
}

// pieces are the pieces that it was given, in their order.
func (c *carrier) pieces() (list []int) {
	for _, o := range c.got() {
		list = append(list, o.Piece)
	}
	return list
}

// texts are the texts that it was given.
func (c *carrier) texts() (list []string) {
	for _, o := range c.got() {
		list = append(list, o.Text)
	}
	return list
}

// gate lets a carrier's sends wait for a test.
type gate chan struct{}

func (g gate) wait(ctx context.Context) error {
	select {
	case <-g:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func temporary(status int) error {
	return &sms.Failure{Status: status, Reason: fmt.Sprint("status ", status), Temporary: true}
}

func permanent(status int) error {
	return &sms.Failure{Status: status, Reason: fmt.Sprint("status ", status)}
}
