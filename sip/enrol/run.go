package enrol

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/emiago/sipgo/sip"

	"axgate/sip/digest"
)

const (
	answerTime = 40 * time.Second // of one request: more than timer F
	// Attempts that are asked for keep this distance, and a longer one while
	// they fail: a lost connection may be found lost again and again.
	gap        = time.Second
	failingGap = 5 * time.Second
)

// failure is a REGISTER that came to nothing.
type failure struct {
	reason string
	after  time.Duration // Retry-After; 0: none
	silent bool          // no answer came: the registrar may have taken it
	gone   bool          // the registrar does not know us, whatever it said before
}

func (f *failure) Error() string { return f.reason }

// run registers until ctx is done.
func (r *Registration) run(ctx context.Context) {
	for {
		began := time.Now()
		wait, ok := r.round(ctx)
		if ctx.Err() != nil {
			return
		}
		least := gap
		if !ok {
			least = failingGap
		}
		due := time.NewTimer(wait)
		select {
		case <-due.C:
		case <-r.again:
			due.Stop()
			soon := time.NewTimer(time.Until(began.Add(least)))
			select {
			case <-soon.C:
			case <-ctx.Done():
				soon.Stop()
				return
			}
		case <-ctx.Done():
			due.Stop()
			return
		}
	}
}

// round registers or refreshes once. wait is when the next is due, ok whether
// this one went well.
func (r *Registration) round(ctx context.Context) (wait time.Duration, ok bool) {
	r.under()
	res, err := r.register(ctx)
	if err == nil {
		if lasts := granted(res, r.contact, r.expires); lasts > 0 {
			r.perhaps = true
			return r.succeeded(res, lasts), true
		}
		err = &failure{reason: "the registrar answers 200 and does not keep us", gone: true}
	}
	var f *failure
	if !errors.As(err, &f) { // of this side
		f = &failure{reason: err.Error()}
	}
	r.perhaps = r.perhaps || f.silent
	if ctx.Err() != nil {
		return 0, false
	}
	return r.failed(f), false
}

// register sends a REGISTER, and again with proofs for challenges and once with
// the longer time that the registrar wants. It returns the 2xx.
func (r *Registration) register(ctx context.Context) (*sip.Response, error) {
	raised := false
	var proving *digest.Exchange
	for {
		res, err := r.send(ctx, r.expires, &proving)
		switch {
		case err != nil:
			return nil, err
		case res != nil && res.StatusCode == sip.StatusIntervalToBrief && !raised:
			longer, ok := seconds(res.GetHeader("Min-Expires"))
			if !ok || longer <= r.expires {
				return nil, refused(res)
			}
			r.expires, raised = longer, true
		case res != nil && res.StatusCode >= 300:
			return nil, refused(res)
		case res != nil:
			return res, nil
		}
	}
}

// leave takes the registration back.
func (r *Registration) leave(ctx context.Context) error {
	var proving *digest.Exchange
	for {
		res, err := r.send(ctx, 0, &proving)
		switch {
		case err != nil:
			return fmt.Errorf("take back the registration at %s: %w", r.cfg.Domain, err)
		case res != nil && res.StatusCode >= 300:
			return fmt.Errorf("take back the registration at %s: %w", r.cfg.Domain, refused(res))
		case res != nil:
			r.perhaps = false
			r.mu.Lock()
			defer r.mu.Unlock()
			r.status.Until = time.Time{}
			return nil
		}
	}
}

// send sends one request. A response of nil is a challenge that was taken in:
// the next request answers it.
func (r *Registration) send(ctx context.Context, expires time.Duration, proving **digest.Exchange) (*sip.Response, error) {
	req := r.request(expires)
	if r.proof != nil {
		if *proving == nil {
			*proving = r.proof.Begin()
			if r.cfg.Introduce {
				r.proof.Introduce(req, r.cfg.Domain)
			}
		}
		if err := (*proving).Sign(req); err != nil {
			return nil, err
		}
	}
	limited, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	res, err := r.sender.Send(limited, req)
	r.contact = *req.Contact().Address.Clone()
	switch {
	case err != nil:
		return nil, &failure{reason: err.Error(), silent: true}
	case r.proof == nil || res.StatusCode != sip.StatusUnauthorized && res.StatusCode != sip.StatusProxyAuthRequired:
		return res, nil
	}
	if err := (*proving).Challenged(res); err != nil {
		return nil, &failure{reason: err.Error()}
	}
	return nil, nil
}

func refused(res *sip.Response) *failure {
	f := &failure{reason: fmt.Sprintf("the registrar answers %d", res.StatusCode)}
	f.after, _ = seconds(res.GetHeader("Retry-After"))
	return f
}

// under tells operators that a REGISTER is under way.
func (r *Registration) under() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status.Next = time.Time{}
}

// succeeded takes in a 200. The next REGISTER comes after 50 to 80 % of the
// time, so that many lines do not come at once.
func (r *Registration) succeeded(res *sip.Response, lasts time.Duration) time.Duration {
	r.steps = 0
	wait := max(time.Duration((0.5+0.3*rand.Float64())*float64(lasts)), gap)
	now := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.status.Until.Before(now) || r.status.Failures > 0 {
		r.log.Info().Str("domain", r.cfg.Domain).Dur("lasts", lasts).Msg("registered")
	}
	r.status = Status{Until: now.Add(lasts), Next: now.Add(wait), FailedAt: r.status.FailedAt,
		ServiceRoute: uris(res, "Service-Route"), Path: uris(res, "Path"), Associated: uris(res, "P-Associated-URI")}
	return wait
}

// failed takes in a failure. The next attempt comes after a time that doubles
// with each, by lot between half and all of it (RFC 5626 section 4.5). While
// the registration stands it comes before half of what is left has gone, and
// then that is no step of the back-off: the refresh has a few tries.
func (r *Registration) failed(f *failure) time.Duration {
	now := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.status.Failure != f.reason {
		r.log.Warn().Str("domain", r.cfg.Domain).Str("why", f.reason).Time("registered_until", r.status.Until).Msg("could not register")
	}
	if f.gone {
		r.status.Until = time.Time{}
	}
	wait := r.cfg.RetryMin
	for range min(r.steps, 32) {
		wait = min(2*wait, r.cfg.RetryMax)
	}
	wait = time.Duration((0.5 + 0.5*rand.Float64()) * float64(wait))
	if left := r.status.Until.Sub(now); left > 0 && left/2 < wait {
		wait = max(left/2, gap)
	} else {
		r.steps++
	}
	wait = max(wait, min(f.after, maxAfter))
	r.status.Failures++
	r.status.Failure, r.status.FailedAt, r.status.Next = f.reason, now, now.Add(wait)
	return wait
}
