package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/rs/zerolog"

	"axgate/config"
	"axgate/node"
)

type serveCmd struct{}

// Help tells more than the one line of the overview.
func (serveCmd) Help() string {
	return `It ends on SIGTERM or SIGINT: new calls are refused with 503, running calls may go on for sip.drain and are then ended, and the last events are pushed. A second signal ends it at once.`
}

func (serveCmd) Run(p *program) (err error) {
	cfg, err := p.loadOver(config.Default(), p.serverFile())
	if err != nil {
		return err
	}
	log, flush, err := p.logger(&cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, flush()) }()
	for _, n := range cfg.Notes() {
		log.Warn().Msg(n)
	}
	tune(&log, &cfg)
	n, err := node.Open(p.ctx, cfg, log)
	if err != nil {
		return err
	}
	if err := n.Serve(); err != nil {
		return errors.Join(err, p.shutdown(n, &cfg, &log))
	}
	select {
	case <-p.signals:
		return p.shutdown(n, &cfg, &log)
	case err := <-n.Over():
		return errors.Join(err, p.shutdown(n, &cfg, &log))
	}
}

// shutdown lets running calls end and closes the node. A second signal cuts
// the waiting short.
func (p *program) shutdown(n *node.Node, cfg *config.Config, log *zerolog.Logger) error {
	ctx, cancel := context.WithTimeout(p.ctx, cfg.SIP.Drain)
	defer cancel()
	log.Info().Int("calls", n.Calls()).Dur("limit", cfg.SIP.Drain).Msg("ending: no new calls")
	done := make(chan error, 1)
	go func() { done <- n.Close(ctx) }()
	for hurried := false; ; {
		select {
		case err := <-done:
			if err != nil {
				return fmt.Errorf("end: %w", err)
			}
			log.Info().Msg("ended")
			return nil
		case s := <-p.signals:
			if hurried {
				return fmt.Errorf("ended by a third %v before all was written", s)
			}
			hurried = true
			log.Warn().Int("calls", n.Calls()).Msg("ending at once")
			cancel()
		}
	}
}
