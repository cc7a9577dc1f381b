package ipp

import (
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	pin := strings.Repeat("a1", 32)
	for _, c := range []struct{ uri, url, name, wrong string }{
		{uri: "ipp://printer/ipp/print", url: "http://printer:631/ipp/print", name: "ipp://printer/ipp/print"},
		{uri: "IPPS://u:p@[::1]:8631?member=3&pin=" + pin, url: "https://[::1]:8631/", name: "ipps://[::1]:8631/"},
		{uri: "ipp://h/a%20b?class=blind", url: "http://h:631/a%20b", name: "ipp://h/a%20b"},
		{uri: "ipps://h/p?ca=/etc/ca.pem", url: "https://h:631/p", name: "ipps://h/p"},
		{uri: "http://h/", wrong: "ipp and ipps"},
		{uri: "ipp:///p", wrong: "no host"},
		{uri: "ipp://h:0/p", wrong: "no port"},
		{uri: "ipp://h:70000/p", wrong: "no port"},
		{uri: "ipp://u:secr%zzet@h/p", wrong: "%25"},
		{uri: "ipp://h/p?pin=" + pin, wrong: "ipps"},
		{uri: "ipps://h/p?pin=12", wrong: "64 digits"},
		{uri: "ipps://h/p?ca=", wrong: "no file"},
		{uri: "ipp://h/p?member=0", wrong: "member"},
		{uri: "ipp://h/p?class=fenced", wrong: "blind"},
		{uri: "ipp://h/p?color=1", wrong: "unknown option"},
		{uri: "ipp://h/p#x", wrong: "fragment"},
		{uri: "ipp://h/" + strings.Repeat("x", 1023), wrong: "1023"},
	} {
		a, err := Parse(c.uri)
		if c.wrong != "" {
			if err == nil || !strings.Contains(err.Error(), c.wrong) || strings.Contains(err.Error(), "secr") {
				t.Errorf("%.60s: %v", c.uri, err)
			}
			continue
		}
		if err != nil || a.url() != c.url || a.printerURI() != c.name {
			t.Errorf("%s: %s, %s, %v", c.uri, a.url(), a.printerURI(), err)
		}
	}
	for _, uri := range []string{"ipp://u:secret@h/p", "ipp://u:secret%zz@h/p"} {
		if got := Redact(uri); strings.Contains(got, "secret") || !strings.Contains(got, "h/p") {
			t.Errorf("redacted: %s", got)
		}
	}
}
