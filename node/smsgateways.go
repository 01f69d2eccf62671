package node

import (
	"context"
	"slices"

	"axgate/api"
	"axgate/sms"
	"axgate/sms/gateway"
)

// gatewayDoor is where SMS gateways post texts; none if there are none.
func (n *Node) gatewayDoor() []api.Mount {
	if len(n.cfg.SMS.Gateways) == 0 {
		return nil
	}
	tokens := map[string]string{}
	for _, g := range n.cfg.SMS.Gateways {
		tokens[g.Name] = g.Token
	}
	d := gateway.NewDoor(gateway.DoorConfig{Tokens: tokens, Office: n.texts, Plan: n.plan, Now: n.ledger.Now, Log: n.log})
	return []api.Mount{{Path: gateway.Path, Handler: d}}
}

// gateways are the carriers to SMS gateways.
type gateways struct {
	some []sms.Carrier // each serves some numbers, and comes before the trunks
	all  []sms.Carrier // each serves all numbers, and comes behind the trunks
}

func (n *Node) openGateways(context.Context) error {
	refused, err := networks("events.refuse", n.cfg.Events.Refuse)
	if err != nil {
		return err
	}
	for _, g := range n.cfg.SMS.Gateways {
		if g.URL == "" {
			continue
		}
		c := gateway.NewCarrier(gateway.CarrierConfig{Name: g.Name, URL: g.URL, Secret: g.Secret, Numbers: g.Numbers, Timeout: g.Timeout, Refuse: refused, Log: n.log})
		n.close.add("the connections to an SMS gateway", func(context.Context) error { c.Close(); return nil })
		if len(g.Numbers) > 0 {
			n.gateways.some = append(n.gateways.some, c)
		} else {
			n.gateways.all = append(n.gateways.all, c)
		}
	}
	return nil
}

// textCarriers are the ways of texts to phones, the best first: the phones of
// the registrar, the gateways of some numbers, the trunks, and the gateways of
// all.
func (n *Node) textCarriers() []sms.Carrier {
	of := n.server.TextCarriers()
	phones := 0
	if len(of) > 0 && of[0].Name() == "phone" {
		phones = 1
	}
	return slices.Concat(of[:phones], n.gateways.some, of[phones:], n.gateways.all)
}
