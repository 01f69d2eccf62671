package manage

import (
	"strconv"

	"github.com/danielgtaylor/huma/v2"
)

// stream answers with what is no JSON; the operation says what it gives.
type stream struct{ Body func(huma.Context) }

// file answers with a file that has a name.
func file(kind, name string, b []byte) *stream {
	return &stream{func(ctx huma.Context) {
		ctx.SetHeader("Content-Type", kind)
		ctx.SetHeader("Content-Length", strconv.Itoa(len(b)))
		ctx.SetHeader("Content-Disposition", `attachment; filename="`+name+`"`)
		ctx.SetHeader("X-Content-Type-Options", "nosniff")
		_, _ = ctx.BodyWriter().Write(b) // a client that is gone does not hear that it is
	}}
}

// responses are those of an operation that gives something else than JSON.
func (o *op) responses() map[string]*huma.Response {
	if o.gives == "" {
		return nil
	}
	return map[string]*huma.Response{"200": {Description: "OK", Content: map[string]*huma.MediaType{
		o.gives: {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}},
	}}}
}
