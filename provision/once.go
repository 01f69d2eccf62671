package provision

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"time"

	"axgate/ledger"
	"axgate/routing"
)

// requestsKept is how long a request id is known: a repetition within this time
// changes nothing.
const requestsKept = 24 * time.Hour

type requestIDKey struct{}

// WithRequestID names the one change that is asked for with the context, so
// that the client can ask for it again without making it twice: every operation
// of a Service that changes a binding then answers what it answered first, with
// the same subscriptionId, though the first answer was lost, this process was
// killed or another node was asked. A request that was refused is judged anew.
//
// The id is the client's: 1 to 128 characters of visible ASCII, known for 24
// hours within its app; empty is none. Refusals besides those of the operation:
// 1010002 for an id that is malformed, or that named another content or
// operation before.
//
// In HTTP it is the header X-Client-Request-Id, or else Idempotency-Key.
func WithRequestID(ctx context.Context, id string) context.Context {
	if id == "" {
		return ctx
	}
	return context.WithValue(ctx, requestIDKey{}, id)
}

// requestField is how refusals name the id.
const requestField = "X-Client-Request-Id"

// The operations that a request id can name.
const (
	opBind      = "bind"
	opModify    = "modify"
	opUnbind    = "unbind"
	opTemporary = "temporary"
)

// once makes a change that has no id, or whose id made none before. For one
// that was made it is again that finds the answer.
func once[T any](ctx context.Context, s *Service, app *ledger.App, operation string, content any,
	do func(context.Context) (T, error), again func(context.Context, ledger.Request) (T, error)) (T, error) {
	var none T
	id, named := ctx.Value(requestIDKey{}).(string)
	if !named {
		return do(ctx)
	}
	r, err := newRequest(id, operation, content)
	if err != nil {
		return none, err
	}
	made, err := s.ledger.Request(ctx, app.Key, id)
	if err == nil && made == nil {
		out, refusal := do(ledger.WithRequest(ctx, r))
		var repeated *ledger.RepeatedError
		if refusal == nil || Code(refusal) == resultInternal.code && !errors.As(refusal, &repeated) {
			return out, refusal
		}
		// What it is refused for may be the work of the same request, made at
		// the same time.
		if made, err = s.ledger.Request(ctx, app.Key, id); err == nil && made == nil {
			return out, refusal
		}
	}
	if err != nil {
		return none, failed("find what the request changed", err)
	}
	if made.Operation != operation || made.Digest != r.Digest {
		return none, resultInvalid.refuse(requestField, "it was the id of another request within the last 24 hours")
	}
	if err := s.inForce(ctx, app.Mode, made); err != nil {
		return none, err
	}
	return again(ctx, *made)
}

// newRequest reads the id of a request.
func newRequest(id, operation string, content any) (ledger.Request, error) {
	const most = 128
	if len(id) > most {
		return ledger.Request{}, resultInvalid.refuse(requestField, "it has %d characters: at most %d are possible", len(id), most)
	}
	for i := range len(id) {
		if id[i] <= ' ' || id[i] > '~' {
			return ledger.Request{}, resultInvalid.refuse(requestField, "it may have visible ASCII characters alone")
		}
	}
	text, err := json.Marshal(content)
	if err != nil {
		return ledger.Request{}, failed("tell the request from others", err)
	}
	sum := sha256.Sum256(text)
	return ledger.Request{ID: id, Operation: operation, Digest: hex.EncodeToString(sum[:])}, nil
}

// inForce sees to it that the cache knows of a change, whoever made it and did
// not live to tell the cache.
func (s *Service) inForce(ctx context.Context, mode routing.Mode, made *ledger.Request) error {
	if mode == routing.AXYB {
		return s.refreshXY(ctx, made.Subscription, !s.news.owes(made.Subscription))
	}
	key := made.Subscription
	if key == "" {
		key = string(made.X)
	}
	owed, err := s.ledger.Owed(ctx, made.X)
	if err != nil {
		return failed("find whether the cache knows X", err)
	}
	if !owed && !s.news.owes(key) {
		return nil
	}
	return s.refresh(ctx, key, made.X)
}

// onceBinding is once for a change that answers with the binding: as it is now,
// or was at its end.
func (s *Service) onceBinding(ctx context.Context, app *ledger.App, operation string, content any,
	do func(context.Context) (routing.Binding, error)) (routing.Binding, error) {
	return once(ctx, s, app, operation, content, do, func(ctx context.Context, made ledger.Request) (routing.Binding, error) {
		b, err := s.ledger.Binding(ctx, made.Subscription, s.now())
		var ended *ledger.EndedError
		if errors.As(err, &ended) {
			return ended.Binding, nil
		}
		if err != nil {
			return b, failed("read the binding", err)
		}
		return b, nil
	})
}

// onceEnd is once for a change that answers with nothing.
func (s *Service) onceEnd(ctx context.Context, app *ledger.App, content any, do func(context.Context) error) error {
	type nothing struct{}
	_, err := once(ctx, s, app, opUnbind, content,
		func(ctx context.Context) (nothing, error) { return nothing{}, do(ctx) },
		func(context.Context, ledger.Request) (nothing, error) { return nothing{}, nil })
	return err
}

// forgetRequests removes requests that are no longer known.
func (s *Service) forgetRequests(ctx context.Context) error {
	const batch, rounds = 500, 20
	for range rounds {
		n, err := s.ledger.ForgetRequests(ctx, s.now().Add(-requestsKept), batch)
		if err != nil || n < batch {
			return err
		}
	}
	return nil
}
