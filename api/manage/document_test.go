package manage_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
	"github.com/stretchr/testify/require"

	"axgate/api/manage"
)

// operation is what the tests read of an operation in the document.
type operation struct {
	ID          string           `json:"operationId"`
	Summary     string           `json:"summary"`
	Description string           `json:"description"`
	Tags        []string         `json:"tags"`
	Roles       []string         `json:"x-roles"`
	Audited     bool             `json:"x-audited"`
	Security    []map[string]any `json:"security"`
	Parameters  []struct {
		Name        string         `json:"name"`
		In          string         `json:"in"`
		Description string         `json:"description"`
		Schema      map[string]any `json:"schema"`
	} `json:"parameters"`
	Responses map[string]struct {
		Content map[string]any `json:"content"`
	} `json:"responses"`

	method, path string
}

// operations reads the document.
func (w *world) operations() (all []operation, schemas map[string]map[string]any) {
	w.t.Helper()
	var doc struct {
		Paths      map[string]map[string]operation `json:"paths"`
		Components struct {
			Schemas map[string]map[string]any `json:"schemas"`
		} `json:"components"`
	}
	require.NoError(w.t, json.Unmarshal(w.get(nobody, manage.Document).body, &doc))
	for path, methods := range doc.Paths {
		for method, o := range methods {
			o.method, o.path = strings.ToUpper(method), strings.TrimPrefix(path, manage.Prefix)
			all = append(all, o)
		}
	}
	return all, doc.Components.Schemas
}

func TestDocumentIsValid(t *testing.T) {
	w := newWorld(t)
	a := w.get(nobody, manage.Document)
	require.Equal(t, "3.1.0", a.is(http.StatusOK)["openapi"])
	doc, err := libopenapi.NewDocument(a.body)
	require.NoError(t, err)
	v, errs := validator.NewValidator(doc)
	require.Empty(t, errs)
	ok, wrong := v.ValidateDocument()
	for _, e := range wrong {
		t.Errorf("%s: %s", e.Message, e.Reason)
		for _, s := range e.SchemaValidationErrors {
			t.Errorf("  %+v", s)
		}
	}
	require.True(t, ok)
}

// TestDocumentTeaches wants everything explained, and shown by an example.
func TestDocumentTeaches(t *testing.T) {
	w := newWorld(t)
	all, schemas := w.operations()
	require.NotEmpty(t, all)
	for _, o := range all {
		require.NotEmpty(t, o.Summary, o.ID)
		require.Greater(t, len(o.Description), len(o.Summary), o.ID)
		require.NotEmpty(t, o.Tags, o.ID)
		require.Contains(t, o.Roles, "operator", o.ID)
		require.NotEmpty(t, o.Security, o.ID)
		require.Contains(t, o.Responses["401"].Content, "application/problem+json", o.ID)
		require.Contains(t, o.Responses["422"].Content, "application/problem+json", o.ID)
		if o.method == http.MethodGet {
			require.False(t, o.Audited, o.ID)
		}
		for _, p := range o.Parameters {
			require.NotEmpty(t, p.Description, "%s %s", o.ID, p.Name)
			if p.Schema["enum"] == nil {
				require.NotEmpty(t, p.Schema["examples"], "%s %s has no example", o.ID, p.Name)
			}
			if p.Schema["type"] == "string" && p.Schema["format"] == nil && p.Schema["enum"] == nil {
				require.NotNil(t, p.Schema["maxLength"], "%s %s has no bound", o.ID, p.Name)
			}
		}
	}
	for name, schema := range schemas {
		properties, _ := schema["properties"].(map[string]any)
		for field, about := range properties {
			p := about.(map[string]any)
			require.Regexp(t, `^[a-z][A-Za-z0-9]*$`, field, name)
			require.NotEmpty(t, p["description"], "%s.%s", name, field)
			if kind := p["type"]; p["enum"] == nil && (kind == "string" || kind == "integer" || kind == "boolean" || kind == "number") {
				require.NotEmpty(t, p["examples"], "%s.%s has no example", name, field)
			}
		}
	}
}
