package http

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/mux"

	"printq/http/api"
	"printq/queue"
	"printq/queue/queuepb"
)

type object = map[string]any

func openapiDocument(t testing.TB) object {
	t.Helper()
	var doc object
	if err := json.Unmarshal(openapiJSON, &doc); err != nil {
		t.Fatal(err)
	}
	return doc
}

// resolveRef follows a $ref.
func resolveRef(doc object, v any) object {
	o, _ := v.(object)
	ref, ok := o["$ref"].(string)
	if !ok {
		return o
	}
	at := doc
	for _, name := range strings.Split(strings.TrimPrefix(ref, "#/"), "/") {
		at, _ = at[name].(object)
	}
	if at == nil {
		panic("no " + ref)
	}
	return resolveRef(doc, at)
}

// conform holds a value against a schema. A property that is not documented is an error here, though not to a client.
func conform(doc object, schema any, v any, at string) []string {
	s := resolveRef(doc, schema)
	if values, ok := s["enum"].([]any); ok && !slices.Contains(values, v) {
		return []string{fmt.Sprintf("%s: %v is not of %v", at, v, values)}
	}
	var errs []string
	switch v := v.(type) {
	case object:
		props, _ := s["properties"].(object)
		required, _ := s["required"].([]any)
		for _, name := range required {
			if _, ok := v[name.(string)]; !ok {
				errs = append(errs, fmt.Sprintf("%s: no %v", at, name))
			}
		}
		for name, value := range v {
			if props[name] == nil && len(props) > 0 {
				errs = append(errs, fmt.Sprintf("%s: %s is not documented", at, name))
			} else if props[name] != nil {
				errs = append(errs, conform(doc, props[name], value, at+"."+name)...)
			}
		}
		return append(errs, wrongType(s, "object", at)...)
	case []any:
		for i, item := range v {
			errs = append(errs, conform(doc, s["items"], item, fmt.Sprintf("%s[%d]", at, i))...)
		}
		return append(errs, wrongType(s, "array", at)...)
	case string:
		if pattern, ok := s["pattern"].(string); ok && !regexp.MustCompile(pattern).MatchString(v) {
			errs = append(errs, fmt.Sprintf("%s: %q does not match %s", at, v, pattern))
		}
		if _, err := time.Parse(time.RFC3339Nano, v); s["format"] == "date-time" && (err != nil || !strings.HasSuffix(v, "Z")) {
			errs = append(errs, fmt.Sprintf("%s: %q is not a time in UTC", at, v))
		}
		return append(errs, wrongType(s, "string", at)...)
	case float64:
		return wrongType(s, "integer", at)
	case bool:
		return wrongType(s, "boolean", at)
	}
	return []string{fmt.Sprintf("%s: %T", at, v)}
}

func wrongType(s object, got, at string) []string {
	if s["type"] != got {
		return []string{fmt.Sprintf("%s: it is a %s, documented as %v", at, got, s["type"])}
	}
	return nil
}

// The checker itself finds what is wrong.
func TestConformFindsFaults(t *testing.T) {
	doc := openapiDocument(t)
	for _, body := range []string{
		`{}`, `{"index":1,"term":2,"time":"yesterday"}`, `{"index":"1","term":2,"time":"2026-01-02T03:04:05Z"}`,
		`{"index":1,"term":2,"time":"2026-01-02T03:04:05Z","more":1}`, `[]`, `{"index":1,"term":2,"time":"2026-01-02T03:04:05+01:00"}`,
	} {
		var v any
		json.Unmarshal([]byte(body), &v)
		if conform(doc, object{"$ref": "#/components/schemas/Submitted"}, v, "") == nil {
			t.Errorf("%s was taken", body)
		}
	}
}

func TestEveryRouteIsDocumentedAndEveryDocumentedOneRouted(t *testing.T) {
	routed, documented := map[string]bool{}, map[string]bool{}
	s := newServer(t, newFake())
	err := s.router.Walk(func(r *mux.Route, _ *mux.Router, _ []*mux.Route) error {
		path, err := r.GetPathTemplate()
		if err != nil {
			return err
		}
		methods, err := r.GetMethods()
		for _, method := range methods {
			if method != "HEAD" {
				routed[method+" "+path] = true
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	ids := map[any]bool{}
	for path, item := range openapiDocument(t)["paths"].(object) {
		for method, op := range item.(object) {
			documented[strings.ToUpper(method)+" "+path] = true
			if id := op.(object)["operationId"]; ids[id] {
				t.Errorf("operation %v is there twice", id)
			} else {
				ids[id] = true
			}
		}
	}
	if !reflect.DeepEqual(routed, documented) {
		t.Errorf("routed     %v\ndocumented %v", routed, documented)
	}
}

// checkAnswer holds an answer against what is documented for the operation.
func checkAnswer(t *testing.T, doc object, method, path string, w *httptest.ResponseRecorder) {
	t.Helper()
	responses := doc["paths"].(object)[path].(object)[strings.ToLower(method)].(object)["responses"].(object)
	documented, ok := responses[fmt.Sprint(w.Code)]
	if !ok && w.Code < 400 {
		t.Errorf("%s %s: status %d is not documented", method, path, w.Code)
		return
	} else if !ok {
		documented = responses["default"]
	}
	content, _ := resolveRef(doc, documented)["content"].(object)
	if len(content) == 0 && w.Body.Len() == 0 {
		return
	}
	kind, _, _ := strings.Cut(w.Header().Get("Content-Type"), ";")
	media, ok := content[kind].(object)
	if !ok && content["*/*"] == nil {
		t.Errorf("%s %s: %s is not documented", method, path, kind)
	}
	schema := media["schema"]
	if schema == nil {
		return
	}
	var v any
	if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil {
		t.Errorf("%s %s: %v", method, path, err)
		return
	}
	for _, err := range conform(doc, schema, v, path) {
		t.Error(err)
	}
}

func TestAnswersAreAsDocumented(t *testing.T) {
	doc := openapiDocument(t)
	f := newFake("p")
	f.submit2("p")
	full := f.jobs[0]
	full.Reason, full.Name, full.Of, full.Ttl, full.Stopping, full.MoveTo, full.Ended, full.DocumentGone = "r", "n", 7, 5, 3, "q", 1e18, true
	full.InDoubt = &queuepb.Doubt{Copy: 1, From: 2, To: 3}
	full.DuplicateOf, full.Began = 3, 1e18
	f.printerz["p"].Default, f.printerz["p"].Description = true, &queuepb.PrinterDescription{Info: "i", Location: "l"}
	device := f.printerz["p"].Devices[0]
	*device = queue.Device{Id: 1, Uri: "u", Identity: "i", Epoch: "e", Job: 1, Attempt: 2, Progress: 3, Recovering: true, Reason: "r", Detail: "d", Stopped: true}
	s := newServer(t, f)
	body, header := form(t, part{name: "file", file: "1", body: "x"}, part{name: "file", file: "2"})
	tested := map[string]bool{}
	for _, row := range []struct{ method, path, target, body, header string }{
		{"POST", "/v1/printers/{printer}/jobs", "/v1/printers/p/jobs", "x", ""},
		{"POST", "/v1/printers/{printer}/jobs", "/v1/printers/none/jobs", "x", ""},
		{"PUT", "/v1/printers/{printer}/jobs", "/v1/printers/p/jobs", "x", ""},
		{"POST", "/v1/printers/{printer}/jobs:batch", "/v1/printers/p/jobs:batch", body, header},
		{"GET", "/v1/jobs", "/v1/jobs?limit=2", "", ""},
		{"GET", "/v1/jobs/{id}", "/v1/jobs/1", "", ""},
		{"GET", "/v1/jobs/{id}", "/v1/jobs/99", "", ""},
		{"GET", "/v1/jobs/{id}/document", "/v1/jobs/2/document", "", ""},
		{"GET", "/v1/jobs/{id}/document", "/v1/jobs/2/document", "", "Range: bytes=0-0"},
		{"GET", "/v1/jobs/{id}/document", "/v1/jobs/1/document", "", ""},
		{"GET", "/v1/jobs/{id}/events", "/v1/jobs/2/events", "", ""},
		{"POST", "/v1/jobs/{id}/hold", "/v1/jobs/2/hold", "{}", ""},
		{"POST", "/v1/jobs/{id}/release", "/v1/jobs/2/release", "", ""},
		{"POST", "/v1/jobs/{id}/move", "/v1/jobs/2/move", `{"printer":"p"}`, ""},
		{"POST", "/v1/jobs/{id}/resolve", "/v1/jobs/2/resolve", `{"done":true}`, ""},
		{"POST", "/v1/jobs/{id}/cancel", "/v1/jobs/2/cancel", `{"by":"eve"}`, ""},
		{"POST", "/v1/jobs/{id}/cancel", "/v1/jobs/2/cancel", ``, ""},
		{"POST", "/v1/jobs/{id}/reprint", "/v1/jobs/2/reprint", ``, ""},
		{"GET", "/v1/printers", "/v1/printers", "", ""},
		{"GET", "/v1/printers/{printer}", "/v1/printers/p", "", ""},
		{"PUT", "/v1/printers/{printer}", "/v1/printers/q", `{"device":"tray:/q"}`, ""},
		{"POST", "/v1/printers/{printer}/pause", "/v1/printers/q/pause", "", ""},
		{"POST", "/v1/printers/{printer}/resume", "/v1/printers/q/resume", "", ""},
		{"POST", "/v1/printers/{printer}/adopt", "/v1/printers/q/adopt", "", ""},
		{"POST", "/v1/printers/{printer}/accept", "/v1/printers/q/accept", "", ""},
		{"POST", "/v1/printers/{printer}/reject", "/v1/printers/q/reject", "", ""},
		{"POST", "/v1/printers/{printer}/default", "/v1/printers/q/default", "", ""},
		{"POST", "/v1/printers/{printer}/describe", "/v1/printers/p/describe", `{"info":"Colour"}`, ""},
		{"POST", "/v1/printers/{printer}/test", "/v1/printers/q/test", "", ""},
		{"DELETE", "/v1/printers/{printer}", "/v1/printers/q", "", ""},
		{"GET", "/v1/log", "/v1/log?from=2&job=2&printer=p", "", "Accept: text/event-stream"},
		{"GET", "/v1/cluster", "/v1/cluster", "", ""},
		{"POST", "/v1/leader/transfer", "/v1/leader/transfer", `{"to":1}`, ""},
		{"GET", "/livez", "/livez", "", ""},
		{"GET", "/readyz", "/readyz", "", ""},
		{"GET", "/metrics", "/metrics", "", ""},
		{"GET", "/openapi.json", "/openapi.json", "", ""},
		{"GET", "/icons/{icon}", "/icons/printer-48.png", "", ""},
		{"GET", "/icons/{icon}", "/icons/printer-4096.png", "", ""},
	} {
		name, value, ok := strings.Cut(row.header, ": ")
		if !ok {
			name, value = "X", "y"
		}
		w := ask(s, row.method, row.target, row.body, name+": "+value)
		if row.path == "/v1/jobs/{id}/events" {
			w.Body.Truncate(strings.IndexByte(w.Body.String(), '\n')) // its schema is of one line
		}
		checkAnswer(t, doc, row.method, row.path, w)
		checkHeaders(t, w)
		tested[row.method+" "+row.path] = true
	}
	for path, item := range doc["paths"].(object) {
		for method := range item.(object) {
			if !tested[strings.ToUpper(method)+" "+path] {
				t.Errorf("%s %s was not asked", method, path)
			}
		}
	}
}

// Every field of the types that clients share is documented.
func TestTypesAreDocumented(t *testing.T) {
	doc := openapiDocument(t)
	for name, v := range map[string]any{
		"Job": api.Job{}, "Submitted": api.Submitted{}, "Doubt": api.Doubt{}, "Attempt": api.Attempt{}, "Jobs": api.Jobs{},
		"BatchItem": api.BatchItem{}, "LogLine": api.LogLine{}, "Printer": api.Printer{}, "Device": api.Device{}, "Cluster": api.Cluster{},
		"Member": api.Member{}, "Problem": api.Problem{}, "Health": api.Health{}, "Cause": api.Cause{}, "Move": api.Move{},
		"Reprint": api.Reprint{}, "Resolve": api.Resolve{}, "Settings": api.PrinterSettings{}, "Transfer": api.Transfer{},
		"Description": api.Description{},
	} {
		props := resolveRef(doc, object{"$ref": "#/components/schemas/" + name})["properties"].(object)
		got := map[string]bool{}
		for _, field := range reflect.VisibleFields(reflect.TypeOf(v)) {
			if tag, _, _ := strings.Cut(field.Tag.Get("json"), ","); tag != "" {
				got[tag] = true
			}
		}
		for field := range got {
			if props[field] == nil {
				t.Errorf("%s.%s is not documented", name, field)
			}
		}
		for field := range props {
			if !got[field] {
				t.Errorf("%s.%s is documented and is not there", name, field)
			}
		}
	}
}
