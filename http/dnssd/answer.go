package dnssd

import (
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// maxMessage is how large a message may become before another is begun: what fits into one Ethernet frame.
const maxMessage = 1400

// matching are the records that answer a question. Where there are others under a unique name, and none of that type, the answer
// is that there is none (NSEC).
func matching(q dns.Question, records []dns.RR) (found []dns.RR) {
	if class := q.Qclass &^ cacheFlush; class != dns.ClassINET && class != dns.ClassANY {
		return nil
	}
	var none dns.RR
	for _, r := range records {
		switch h := r.Header(); {
		case !strings.EqualFold(h.Name, q.Name):
		case h.Rrtype == q.Qtype, q.Qtype == dns.TypeANY && h.Rrtype != dns.TypeNSEC:
			found = append(found, r)
		case h.Rrtype == dns.TypeNSEC:
			none = r
		}
	}
	if len(found) == 0 && none != nil {
		found = append(found, none)
	}
	return found
}

// known: the one who asks has the record, for half its time yet (RFC 6762 §7.1).
func known(r dns.RR, answers []dns.RR) bool {
	return slices.ContainsFunc(answers, func(a dns.RR) bool { return a.Header().Ttl >= r.Header().Ttl/2 && sameData(a, r) })
}

// sameData compares two records but for the cache-flush bit and the time.
func sameData(a, b dns.RR) bool {
	a, b = dns.Copy(a), dns.Copy(b)
	a.Header().Class &^= cacheFlush
	b.Header().Class &^= cacheFlush
	return dns.IsDuplicate(a, b)
}

// besides are the records that the one who asked will want next (RFC 6763 §12).
func besides(answers, records []dns.RR) (more []dns.RR) {
	add := func(name string, kinds ...uint16) {
		for _, r := range records {
			if h := r.Header(); strings.EqualFold(h.Name, name) && slices.Contains(kinds, h.Rrtype) &&
				!slices.Contains(answers, r) && !slices.Contains(more, r) {
				more = append(more, r)
			}
		}
	}
	for i := 0; i < len(answers)+len(more); i++ {
		r := dns.RR(nil)
		if i < len(answers) {
			r = answers[i]
		} else {
			r = more[i-len(answers)]
		}
		switch r := r.(type) {
		case *dns.PTR:
			add(r.Ptr, dns.TypeSRV, dns.TypeTXT)
		case *dns.SRV:
			add(r.Target, dns.TypeA, dns.TypeAAAA)
		}
	}
	return more
}

// responses puts records into as many messages as they take; what is besides, only where there is room.
func responses(answers, more []dns.RR) (all []*dns.Msg) {
	for _, r := range answers {
		if n := len(all); n > 0 {
			last := all[n-1]
			last.Answer = append(last.Answer, r)
			if last.Len() <= maxMessage {
				continue
			}
			last.Answer = last.Answer[:len(last.Answer)-1]
		}
		all = append(all, response(r))
	}
	for _, r := range more {
		if len(all) == 0 {
			break
		}
		last := all[len(all)-1]
		last.Extra = append(last.Extra, r)
		if last.Len() > maxMessage {
			last.Extra = last.Extra[:len(last.Extra)-1]
			break
		}
	}
	return all
}

func response(answers ...dns.RR) *dns.Msg {
	return &dns.Msg{MsgHdr: dns.MsgHdr{Response: true, Authoritative: true}, Compress: true, Answer: answers}
}

// goodbye are copies of the records that live no longer. That there are services of the type is left to end by itself: others may
// have some.
func goodbye(records []dns.RR) (gone []dns.RR) {
	for _, r := range records {
		if r.Header().Name == allTypes {
			continue
		}
		r = dns.Copy(r)
		r.Header().Ttl = 0
		gone = append(gone, r)
	}
	return gone
}
