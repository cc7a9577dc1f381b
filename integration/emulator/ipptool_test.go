package emulator

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestIPPTool: the suite of CUPS finds no fault in the printer up to IPP/2.0.
func TestIPPTool(t *testing.T) {
	if _, err := exec.LookPath("ipptool"); err != nil {
		if os.Getenv("PRINTQ_CUPS") == "required" {
			t.Fatal("ipptool is not installed")
		}
		t.Skip("ipptool is not installed")
	}
	document := filepath.Join(t.TempDir(), "document.txt")
	if err := os.WriteFile(document, []byte("a\fb"), 0o600); err != nil {
		t.Fatal(err)
	}
	p, c := startIPP(t, IPPOptions{})
	// Its exit code says nothing of files that others include, so the lines are counted.
	out, err := exec.CommandContext(t.Context(), "ipptool", "-tv", "-T", "10", "-f", document, c.uri, "ipp-2.0.test").CombinedOutput()
	if err != nil {
		t.Errorf("ipptool: %v", err)
	}
	if failed, passed := strings.Count(string(out), "[FAIL]"), strings.Count(string(out), "[PASS]"); failed > 0 || passed < 30 {
		t.Errorf("%d passed, %d failed:\n%s", passed, failed, out)
	}
	if len(p.Pages()) == 0 {
		t.Error("nothing was printed")
	}
}
