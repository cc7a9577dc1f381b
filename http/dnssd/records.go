package dnssd

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

const (
	domain = "local."
	// allTypes lists the types that there are (RFC 6763 §9).
	allTypes = "_services._dns-sd._udp." + domain
	// cacheFlush marks a record that only one responder has (RFC 6762 §10.2); in a question the same bit asks for unicast (§5.4).
	cacheFlush = 1 << 15
	// Seconds that records live: those that name a host, and others (§10).
	hostTTL, otherTTL = 120, 4500
)

// A service is one instance of a type.
type service struct {
	instance string // its full name
	uuid     string
	// All but the host's addresses, which are each link's own.
	records []dns.RR
}

// newService makes the records of a printer. Type is _ipp._tcp or _ipps._tcp.
func newService(p Printer, kind string, host string, port uint16) *service {
	kind += "." + domain
	s := &service{instance: escape(p.Name) + "." + kind}
	var texts []string
	for _, text := range p.Text {
		if id, ok := strings.CutPrefix(text, "UUID="); ok {
			s.uuid = id
		}
		// Package dns takes strings as zone files have them.
		texts = append(texts, strings.ReplaceAll(text, `\`, `\\`))
	}
	pointer := func(from, to string) {
		s.records = append(s.records, &dns.PTR{Hdr: header(from, dns.TypePTR, otherTTL, false), Ptr: to})
	}
	pointer(kind, s.instance)
	pointer("_print._sub."+kind, s.instance)
	pointer("_universal._sub."+kind, s.instance)
	pointer(allTypes, kind)
	s.records = append(s.records,
		&dns.SRV{Hdr: header(s.instance, dns.TypeSRV, hostTTL, true), Port: port, Target: host},
		&dns.TXT{Hdr: header(s.instance, dns.TypeTXT, otherTTL, true), Txt: texts},
		// There is nothing else under this name (§6.1).
		&dns.NSEC{Hdr: header(s.instance, dns.TypeNSEC, hostTTL, true), NextDomain: s.instance, TypeBitMap: []uint16{dns.TypeTXT, dns.TypeSRV}},
	)
	return s
}

// same: the other one says the same of the same instance.
func (s *service) same(other *service) bool {
	return slices.EqualFunc(s.records, other.records, func(a, b dns.RR) bool { return dns.IsDuplicate(a, b) })
}

// hostRecords are the addresses of a host.
func hostRecords(host string, addrs []netip.Addr) (records []dns.RR) {
	types := []uint16{}
	for _, a := range addrs {
		if a.Is4() {
			records = append(records, &dns.A{Hdr: header(host, dns.TypeA, hostTTL, true), A: a.AsSlice()})
			types = append(types, dns.TypeA)
		} else {
			records = append(records, &dns.AAAA{Hdr: header(host, dns.TypeAAAA, hostTTL, true), AAAA: a.AsSlice()})
			types = append(types, dns.TypeAAAA)
		}
	}
	slices.Sort(types)
	return append(records, &dns.NSEC{Hdr: header(host, dns.TypeNSEC, hostTTL, true), NextDomain: host, TypeBitMap: slices.Compact(types)})
}

func header(name string, kind uint16, ttl uint32, unique bool) dns.RR_Header {
	h := dns.RR_Header{Name: name, Rrtype: kind, Class: dns.ClassINET, Ttl: ttl}
	if unique {
		h.Class |= cacheFlush
	}
	return h
}

// escape writes a label as part of a name (RFC 1035 §5.1).
func escape(label string) string {
	return strings.NewReplacer(`.`, `\.`, `\`, `\\`, ` `, `\ `).Replace(label)
}
