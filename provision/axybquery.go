package provision

import (
	"context"

	"axgate/routing"
)

// QueryAXYB is the request for the relations of an AXYB binding, by its id,
// which wins, or by a number (API appendix A).
type QueryAXYB struct {
	SubscriptionID string // of an AX part or of a relation
	RelationNum    string // an X, or a Y
}

// Relation is an entry of xyRelationNumList: a relation with the AX part that it
// belongs to, or an AX part that has none yet.
type Relation struct {
	Part routing.Binding  // numA, numX; Sent.Lasts is duration, CalleeTone preVoiceX
	YB   *routing.Binding // numY, numB; Sent.Lasts is ybDuration, CallerTone preVoiceY; nil: there is none
}

// BindID is the bindId of the entry.
func (r *Relation) BindID() string {
	if r.YB != nil {
		return r.YB.ID
	}
	return r.Part.ID
}

// mostRelations bounds an answer: no number has more (API appendix A).
const mostRelations = 1000

// QueryAXYB lists relations of the app, the oldest first. Refusals: 1010002
// nothing is named, 1012007 there is none.
func (s *Service) QueryAXYB(ctx context.Context, app string, r QueryAXYB) ([]Relation, error) {
	if _, err := s.app(ctx, app, routing.AXYB); err != nil {
		return nil, err
	}
	if r.SubscriptionID != "" {
		b, err := s.binding(ctx, app, routing.AXYB, r.SubscriptionID)
		if err != nil {
			return nil, err
		}
		if b.Of == "" {
			return s.relationsOf(ctx, b)
		}
		part, err := s.binding(ctx, app, routing.AXYB, b.Of)
		return []Relation{{Part: part, YB: &b}}, err
	}
	if r.RelationNum == "" {
		return nil, resultInvalid.refuse("subscriptionId", "it is missing, and relationNum too")
	}
	x, err := s.ownX(ctx, routing.AXYB, app, r.RelationNum)
	if err != nil {
		return nil, err
	}
	part, err := s.ledger.Bound(ctx, x, "", "", s.now())
	if err != nil {
		return nil, failed("find the binding", err)
	}
	if part != nil {
		return s.relationsOf(ctx, *part)
	}
	return s.relationsBy(ctx, x)
}

// relationsOf lists the relations of an AX part, or the part alone.
func (s *Service) relationsOf(ctx context.Context, part routing.Binding) ([]Relation, error) {
	list, err := s.ledger.BindingsOfX(ctx, part.X, s.now(), "", mostRelations)
	if err != nil {
		return nil, failed("list the relations of X", err)
	}
	var all []Relation
	for i := range list {
		if list[i].Of == part.ID {
			all = append(all, Relation{Part: part, YB: &list[i]})
		}
	}
	if len(all) == 0 {
		all = append(all, Relation{Part: part})
	}
	return all, nil
}

// relationsBy lists the relations that have a number as Y.
func (s *Service) relationsBy(ctx context.Context, y routing.X) ([]Relation, error) {
	list, err := s.ledger.RelationsOfY(ctx, y, s.now(), "", mostRelations)
	if err != nil {
		return nil, failed("list the relations of Y", err)
	}
	parts, err := s.ledger.PartsOfY(ctx, y)
	if err != nil {
		return nil, failed("list the AX parts of Y", err)
	}
	var all []Relation
	for i := range list {
		if part, stands := parts[list[i].Of]; stands {
			all = append(all, Relation{Part: part, YB: &list[i]})
		}
	}
	if len(all) == 0 {
		return nil, resultNoRecord.refuse("relationNum", "it has no relations")
	}
	return all, nil
}
