package node

import (
	"axgate/api"
	"axgate/api/manage"
)

// management is the API for operators, and its document.
func (n *Node) management() ([]api.Mount, error) {
	h, err := manage.New(manage.Deps{Records: n.ledger, Changes: n.office, Plan: n.plan, Log: n.log})
	if err != nil {
		return nil, err
	}
	return []api.Mount{
		{Path: manage.Prefix + "/", Handler: h, MaxBody: manage.MaxBody},
		{Path: manage.Document, Handler: h},
	}, nil
}
