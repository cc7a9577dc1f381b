package integration

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/OpenPrinting/goipp"
)

// TestIPPS: CUPS prints over ipps to a member that made its own certificate, and a client that has this certificate accepts no other.
func TestIPPS(t *testing.T) {
	ctx := within(t, 60*time.Second)
	c := newCluster(t)
	ports := freeAddrs(t, size)
	for i, m := range c.members {
		m.args = []string{"--ipps", ports[i]}
	}
	c.start(c.members...)
	c.ready(ctx, c.members...)
	c.printer(ctx, "office", "")
	s := startCUPS(ctx, t, c.nursery)
	uri := "ipps://" + ports[0] + "/ipp/print/office"
	s.do(ctx, "lpadmin", "-p", "raw", "-E", "-v", uri)
	// The same document twice: each answer was read, so that none is taken for the other once more.
	for _, name := range []string{"a.txt", "a.txt"} {
		s.do(ctx, "lp", "-d", "raw", "-o", "raw", "-t", name, s.file(name, "one\n\ftwo\n"))
		until(ctx, t, "CUPS has sent the job", func() bool { return s.idle(ctx) })
	}
	until(ctx, t, "both jobs are completed", func() bool {
		jobs := c.jobsOf(ctx, "office")
		return len(jobs) == 2 && jobs[0].State == "completed" && jobs[1].State == "completed"
	})

	if told := ippsAsk(ctx, t, c.members[0], ports[0], "uri-security-supported"); told != "tls" {
		t.Errorf("uri-security-supported: %s", told)
	}
	if told := ippsAsk(ctx, t, c.members[0], ports[0], "printer-uri-supported"); told != uri {
		t.Errorf("printer-uri-supported: %s, want %s", told, uri)
	}
	if _, err := encrypting(t, c.members[0]).Get("https://" + ports[1] + "/livez"); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("another member's certificate is taken for this one's: %v", err)
	}
}

// encrypting is a client that trusts a member's own certificate, and no other.
func encrypting(t *testing.T, m *member) *http.Client {
	t.Helper()
	certificate, err := os.ReadFile(filepath.Join(m.dir, "ipps.pem"))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(certificate) {
		t.Fatal("the member's file has no certificate")
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// ippsAsk is the printer's attribute, asked for over ipps.
func ippsAsk(ctx context.Context, t *testing.T, m *member, addr, attribute string) string {
	t.Helper()
	raw := ippMessage(goipp.OpGetPrinterAttributes, "office", goipp.MakeAttr("requested-attributes", goipp.TagKeyword, goipp.String(attribute)))
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://"+addr+"/ipp/print/office", strings.NewReader(string(raw)))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", goipp.ContentType)
	resp, err := encrypting(t, m).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	var answer goipp.Message
	if err := answer.DecodeBytes(body); err != nil || len(answer.Printer) != 1 {
		t.Fatalf("%v, %v", answer.Printer, err)
	}
	return answer.Printer[0].Values.String()
}
