package ipp

import (
	"bytes"
	"encoding/pem"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/OpenPrinting/goipp"

	"printq/printer/device"
)

func TestTLS(t *testing.T) {
	f := newFake(t)
	f.StartTLS()
	t.Cleanup(f.Close)
	p := f.printer("")
	_, err := p.Open(t.Context(), device.Opening{})
	pin := regexp.MustCompile(`\?pin=([0-9a-f]{64})`).FindStringSubmatch(errorText(err))
	if !errors.Is(err, device.ErrUnreachable) || pin == nil {
		t.Fatalf("a certificate that nobody signed: %v", err)
	}
	opened(t, f.printer("?pin="+pin[1]))
	wrong := strings.Repeat("00", 32)
	if _, err := f.printer("?pin="+wrong).Open(t.Context(), device.Opening{}); !strings.Contains(errorText(err), pin[1]) {
		t.Errorf("another key: %v", err)
	}
	file := filepath.Join(t.TempDir(), "ca.pem")
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: f.Certificate().Raw})
	if err := os.WriteFile(file, certificate, 0o600); err != nil {
		t.Fatal(err)
	}
	opened(t, f.printer("?ca="+file))
	for _, bad := range []string{file + "x", "/dev/null"} {
		if _, err := f.printer("?ca="+bad).Open(t.Context(), device.Opening{}); !errors.Is(err, device.ErrUnreachable) {
			t.Errorf("ca=%s: %v", bad, err)
		}
	}
	if seen := f.count(goipp.OpGetPrinterAttributes); seen != 2 {
		t.Errorf("%d requests came through, where 2 printers were trusted", seen)
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestPassword(t *testing.T) {
	f := newFake(t).start()
	f.user, f.password = "u", "se:cr@t"
	if _, err := f.printer("").Open(t.Context(), device.Opening{}); !errors.Is(err, device.ErrUnreachable) {
		t.Errorf("without: %v", err)
	}
	f.URL = strings.Replace(f.URL, "http://", "http://u:se%3Acr%40t@", 1)
	p := f.printer("")
	opened(t, p)
	f.Close()
	if _, err := p.Open(t.Context(), device.Opening{}); err == nil || strings.Contains(err.Error(), "cr") {
		t.Errorf("the error: %v", err)
	}
}

// Answers that are none, or too much, are no more than errors.
func TestBadAnswers(t *testing.T) {
	deep := []byte{2, 0, 0, 0, 0, 0, 0, 1, 4}
	for range 5000 {
		deep = append(deep, 0x34, 0, 1, 'a', 0, 0)
	}
	deep = append(deep, 3)
	if err := scan(deep); err == nil || errors.Is(err, errCut) {
		t.Errorf("deep: %v", err)
	}
	f := newFake(t).start()
	for what, answer := range map[string][]byte{
		"empty": {}, "cut": {2, 0, 0, 0, 0, 0, 0, 1, 4, 0x44, 0, 9}, "deep": deep,
		"large": append(append([]byte{2, 0, 0, 0, 0, 0, 0, 1}, bytes.Repeat([]byte{4}, maxAnswer)...), 3),
		"html":  []byte("<html>It works!</html>"), "bare": {2, 0, 0, 0, 0, 0, 0, 1, 3},
	} {
		f.fail(goipp.OpGetPrinterAttributes, fault{raw: answer})
		if _, err := f.printer("").Open(t.Context(), device.Opening{}); !errors.Is(err, device.ErrUnreachable) {
			t.Errorf("%s: %v", what, err)
		}
		p := f.printer("")
		opened(t, p)
		f.fail(goipp.OpCreateJob, fault{raw: answer})
		if _, err := p.Create(t.Context(), aJob()); !errors.Is(err, device.ErrUnclear) {
			t.Errorf("%s to Create-Job: %v", what, err)
		}
	}
}

func TestOldVersion(t *testing.T) {
	f := newFake(t).start()
	f.fail(goipp.OpGetPrinterAttributes, fault{status: goipp.StatusErrorVersionNotSupported})
	p := f.printer("")
	opened(t, p)
	if !p.client.old.Load() {
		t.Error("1.1 was not remembered")
	}
}

// A printer that answers before it has read the document, and never reads it.
func TestEarlyAnswer(t *testing.T) {
	f := newFake(t).start()
	p, j := f.printer(""), aJob()
	id := created(t, p, j)
	f.fail(goipp.OpSendDocument, fault{http: http.StatusServiceUnavailable})
	big := sheet(j, id)
	big.Document = endless(64 << 20)
	if _, err := p.Follow(t.Context(), big); !errors.Is(err, device.ErrUnreachable) {
		t.Errorf("%v", err)
	}
	if o := followed(t, p, sheet(j, id)); o.End != device.Completed || !o.Known {
		t.Errorf("again: %+v", o)
	}
}

// A printer that stops reading, and does not say why, is left; one that says why is waited for.
func TestStall(t *testing.T) {
	f := newFake(t).start()
	p, j := f.printer(""), aJob()
	id := created(t, p, j)
	release := make(chan struct{})
	f.fail(goipp.OpSendDocument, fault{do: func() { <-release }, before: true})
	big := sheet(j, id)
	big.Document = endless(64 << 20)
	o := followed(t, p, big)
	close(release)
	if o.End != device.Untouched {
		t.Errorf("%+v", o)
	}
}

func FuzzAnswer(f *testing.F) {
	for _, raw := range [][]byte{nil, {2, 0, 0, 0, 0, 0, 0, 1, 3}, {2, 0, 0, 0, 0, 0, 0, 1, 4, 0x34, 0, 1, 'a', 0, 0, 0x37, 0, 0, 0, 0, 3}} {
		f.Add(raw)
	}
	fake := &fake{formats: []string{"a/b"}, ops: spooling, copies: 3}
	m := goipp.NewResponse(goipp.DefaultVersion, goipp.StatusOk, 1)
	m.Printer, m.Job = fake.attributes(), fake.describe(&fakeJob{id: 3, name: "n", state: completed})
	raw, err := m.EncodeBytes()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := parse(raw)
		if err != nil {
			return
		}
		if _, err := parse(capabilities(m)); err != nil {
			t.Errorf("the capabilities cannot be read: %v", err)
		}
		a := &about{group: group(m.Printer)}
		a.lacks()
		a.template(device.Job{Options: map[string]string{"page-ranges": "1-2", "sides": "x"}}, a.copies())
		_ = a.takes(string(raw))
		(&Printer{}).describe(a)
		s := stands(group(m.Job))
		s.why()
		s.empty()
		stopper(s.reasons)
	})
}
