package sip

import (
	"errors"
	"fmt"

	"github.com/emiago/sipgo/sip"

	"axgate/sip/dialog"
	"axgate/sip/digest"
	"axgate/sip/trunk"
)

// provers are the names and passwords by which the trunks know us. A phone
// (nil) and a trunk that knows us by none have a nil Client.
type provers map[*trunk.Trunk]*digest.Client

func newProvers(trunks *trunk.Table) (provers, error) {
	all := make(provers)
	for _, t := range trunks.All() {
		if t.Username == "" {
			continue
		}
		client, err := digest.New(t.Username, t.Password)
		if err != nil {
			return nil, fmt.Errorf("trunk %q: %w", t.Name, err)
		}
		all[t] = client
	}
	return all, nil
}

// sign adds to a request of a dialog that is to leave the proofs that the trunk
// has asked for.
func sign(d *dialog.Dialog, e *digest.Exchange, req *sip.Request) error {
	if err := e.Sign(req); err != nil {
		return fmt.Errorf("prove who we are: %w", err)
	}
	if req.Method == sip.INVITE {
		d.Proved(req)
	}
	return nil
}

// challenged tells whether a response to a request of a leg is a challenge that
// its repetition can answer.
func (c *call) challenged(l *leg, e *digest.Exchange, res *sip.Response) bool {
	if res == nil {
		return false
	}
	err := e.Challenged(res)
	if err != nil && !errors.Is(err, digest.ErrNotAsked) {
		line := c.log.Warn().Err(err).Str("method", string(res.CSeq().MethodName))
		if l.trunk != nil {
			line = line.Str("trunk", l.trunk.Name)
		}
		line.Msg("prove who we are")
	}
	return err == nil
}
