package ipp

import (
	"slices"
	"strings"
	"testing"
)

func TestTXT(t *testing.T) {
	h, err := New(Options{Node: newFake("office.2")})
	if err != nil {
		t.Fatal(err)
	}
	p, err := h.node.Printer("office.2")
	if err != nil {
		t.Fatal(err)
	}
	record := h.TXT(p, "a-printq-8631.local:8631", false)
	for _, want := range []string{
		"txtvers=1", "rp=ipp/print/office.2", "adminurl=http://a-printq-8631.local:8631/v1/printers/office.2",
		"UUID=" + strings.TrimPrefix(uuid(h.node.Cluster().Cluster, "printer", "office.2"), "urn:uuid:"), "Color=T", "Copies=T", "air=none",
	} {
		if !slices.Contains(record, want) {
			t.Errorf("%q is not in %q", want, record)
		}
	}
	keys := map[string]bool{}
	for _, s := range record {
		key, value, _ := strings.Cut(s, "=")
		if keys[key] || len(s) > maxTXT || value == "" && key != "note" {
			t.Errorf("%q", s)
		}
		keys[key] = true
	}
	for _, key := range []string{"pdl", "URF"} {
		if !keys[key] {
			t.Errorf("no %s", key)
		}
	}
	// Clients that do not encrypt have the same path where others do.
	h.options.TLSPort = 8632
	for _, secure := range []bool{false, true} {
		if record := h.TXT(p, "a-printq-8631.local:8631", secure); !slices.Contains(record, "rp=ipp/print/office.2") || !slices.Contains(record, "TLS=1.2") {
			t.Errorf("with ipps, secure %v: %q", secure, record)
		}
	}
	h.options.TLSPort = 0
	if keys["TLS"] || !slices.Contains(h.TXT(p, "a:631", true), "TLS=1.2") {
		t.Error("TLS is said where there is none, or not where there is")
	}
}
