package ipp

import (
	"net/url"
	"slices"
	"strings"

	"github.com/OpenPrinting/goipp"

	"printq/node"
)

// maxTXT is the longest string of a TXT record (RFC 1035 §3.3).
const maxTXT = 255

// DNSSDName is printer-dns-sd-name: what the printer is called where it is advertised. It is the same on every member.
func DNSSDName(p *node.PrinterStatus) string { return clip(p.Name, 63) }

// TXT is what the printer's DNS-SD record says (Bonjour Printing Specification 1.2.1, and the keys of AirPrint and Mopria), for
// clients that reach this server at host, with port. It is made of the printer's attributes.
func (h *Handler) TXT(p *node.PrinterStatus, host string, secure bool) []string {
	l := h.printerAttributes(base{host: host, secure: secure}, p)
	attrs := goipp.Attributes(slices.Concat(l.description, l.template))
	all := func(name string) (values []string) {
		if a := find(attrs, name); a != nil {
			for _, v := range a.Values {
				values = append(values, v.V.String())
			}
		}
		return values
	}
	text := func(name string) string { return strings.Join(all(name), ",") }
	flag := func(yes bool) string {
		if yes {
			return "T"
		}
		return "F"
	}
	path := "ipp/print/" + p.Name
	// The first is the one that this record is for; with --ipps there is another.
	if u, err := url.Parse(all("printer-uri-supported")[0]); err == nil {
		path = strings.TrimPrefix(u.Path, "/")
	}
	record := []string{
		"txtvers=1", "qtotal=1",
		"rp=" + path, "ty=" + text("printer-make-and-model"), "product=(" + text("printer-make-and-model") + ")",
		"note=" + text("printer-location"), "pdl=" + text("document-format-supported"), "adminurl=" + text("printer-more-info"),
		"priority=50", "UUID=" + strings.TrimPrefix(text("printer-uuid"), "urn:uuid:"), "URF=" + text("urf-supported"),
		"Color=" + flag(text("color-supported") == "true"), "Duplex=" + flag(slices.Contains(all("sides-supported"), "two-sided-long-edge")),
		"Copies=" + flag(find(attrs, "copies-supported") != nil), "air=none",
		"mopria-certified=" + text("mopria-certified"), "kind=" + text("printer-kind"),
	}
	if secure || h.options.TLSPort != 0 {
		record = append(record, "TLS=1.2")
	}
	for i := range record {
		record[i] = clipList(record[i])
	}
	return record
}

// clipList leaves out the last values of a list that is too long.
func clipList(s string) string {
	if len(s) <= maxTXT {
		return s
	}
	s = clip(s, maxTXT)
	if i := strings.LastIndexByte(s, ','); i > 0 {
		s = s[:i]
	}
	return s
}
