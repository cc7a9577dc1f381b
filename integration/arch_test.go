package integration

import (
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// A source is a package, and what it imports: itself, or also through others.
type source struct {
	path          string
	imports, deps []string
	// What its tests import themselves.
	tests []string
}

// A wall is what the packages at or below a path must not depend on, themselves or through others.
type wall struct {
	of    string
	never []string
	// What may be depended on nevertheless, and the packages that the wall does not bind.
	allowed, free []string
}

var walls = []wall{
	{of: "printq/queue", never: []string{"printq"}, allowed: []string{"printq/queue"}},
	{of: "printq/log", never: []string{"printq/queue", "printq/node", "printq/http", "printq/printer"}},
	{of: "printq/printer", never: []string{"printq/node", "printq/http"}},
	{of: "printq/node", never: []string{"printq/http", "printq/printer"}},
	{of: "printq", never: []string{"printq/integration", "github.com/anishathalye/porcupine"}, free: []string{"printq/integration"}},
}

func below(path string, roots []string) bool {
	return slices.ContainsFunc(roots, func(root string) bool { return path == root || strings.HasPrefix(path, root+"/") })
}

// breaches are the imports that the folders forbid.
func breaches(sources []source) (found []string) {
	for _, s := range sources {
		if slices.Contains(slices.Concat(s.imports, s.tests), "log") {
			found = append(found, s.path+` imports the standard library's log: use log/slog, so that log always means ours`)
		}
		for _, w := range walls {
			if !below(s.path, []string{w.of}) || below(s.path, w.free) {
				continue
			}
			for _, dep := range s.deps {
				if below(dep, w.never) && !below(dep, w.allowed) {
					found = append(found, fmt.Sprintf("%s depends on %s", s.path, dep))
				}
			}
		}
	}
	return found
}

func TestImports(t *testing.T) {
	const format = `{{.ImportPath}}|{{join .Imports " "}}|{{join .Deps " "}}|{{join .TestImports " "}} {{join .XTestImports " "}}`
	out, err := exec.Command("go", "list", "-f", format, "printq/...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var sources []source
	for line := range strings.Lines(string(out)) {
		part := strings.Split(line, "|")
		if len(part) != 4 {
			t.Fatalf("go list said %q", line)
		}
		sources = append(sources, source{part[0], strings.Fields(part[1]), strings.Fields(part[2]), strings.Fields(part[3])})
	}
	if len(sources) < 10 {
		t.Errorf("go list names only %d packages", len(sources))
	}
	for _, b := range breaches(sources) {
		t.Error(b)
	}
}

// TestImportsBite shows that a wrong import is noticed.
func TestImportsBite(t *testing.T) {
	for _, c := range []struct {
		source
		want int
	}{
		{source{path: "printq/queue", deps: []string{"fmt", "log", "printq/queue/queuepb"}}, 0},
		{source{path: "printq/queue", deps: []string{"printq/log"}}, 1},
		{source{path: "printq/queue/queuepb", deps: []string{"printq/node"}}, 1},
		{source{path: "printq/log", deps: []string{"printq/queue"}}, 1},
		{source{path: "printq/log/logtest", deps: []string{"printq/log", "printq/queue/queuepb"}}, 1},
		{source{path: "printq/printer/tray", deps: []string{"printq/queue", "printq/printer/device"}}, 0},
		{source{path: "printq/printer/tray", deps: []string{"printq/http/api", "printq/node"}}, 2},
		{source{path: "printq/node", deps: []string{"printq/log", "printq/queue"}}, 0},
		{source{path: "printq/node", deps: []string{"printq/printer"}}, 1},
		{source{path: "printq/http", deps: []string{"printq/node", "printq/integration/sim"}}, 1},
		{source{path: "printq/integration/sim", deps: []string{"printq/integration", "printq/node", "github.com/anishathalye/porcupine"}}, 0},
		{source{path: "printq/node", deps: []string{"github.com/anishathalye/porcupine"}}, 1},
		{source{path: "printq/http", imports: []string{"log"}}, 1},
		{source{path: "printq/http", imports: []string{"log/slog"}, tests: []string{"log"}}, 1},
	} {
		if found := breaches([]source{c.source}); len(found) != c.want {
			t.Errorf("%+v: found %q, want %d", c.source, found, c.want)
		}
	}
}
