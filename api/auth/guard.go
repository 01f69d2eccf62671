package auth

import (
	"context"
	"net/http"
)

type appKey struct{}

// Guard lets only authenticated requests through to next, which learns from Of
// whose they are.
func (v *Verifier) Guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		app, refusal := v.App(r)
		if refusal != nil {
			refusal.Write(w)
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), appKey{}, app)))
	})
}

// Of is the app that sent a request which came through a Guard.
func Of(r *http.Request) App {
	app, _ := r.Context().Value(appKey{}).(App)
	return app
}
