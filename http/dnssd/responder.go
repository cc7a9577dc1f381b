package dnssd

import (
	"log/slog"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// The times of RFC 6762 §8, and how long a name that somebody else has is left alone.
const (
	probeEvery    = 250 * time.Millisecond
	probes        = 3
	announceEvery = time.Second
	announcements = 2
	conflictPause = time.Minute
	// No record is multicast more often (§6).
	multicastPause = time.Second
)

// A link is an interface, and what the host is called by there.
type link struct {
	index   int
	records []dns.RR
}

// A packet is a message on a link: one that came, or one to send. A zero addr is the group's.
type packet struct {
	link int // interface index
	addr netip.AddrPort
	msg  *dns.Msg
}

// A responder is what is said, and answered. It does no input or output, and reads no clock.
type responder struct {
	host     string
	links    []link
	services map[string]*advertised
	logger   *slog.Logger
	// When a record was last multicast on a link.
	sent map[sending]time.Time
}

type sending struct {
	link   int
	record dns.RR
}

// An advertised service has been probed for and announced so often.
type advertised struct {
	*service
	probed, announced int
	next              time.Time
}

func (a *advertised) ours() bool { return a.probed > probes }

func newResponder(host string, links []link, logger *slog.Logger) *responder {
	return &responder{host: host, links: links, services: map[string]*advertised{}, logger: logger, sent: map[sending]time.Time{}}
}

// set is what is to be advertised from now on. What is withdrawn says goodbye.
func (r *responder) set(services []*service, now time.Time) (out []packet) {
	wanted := map[string]*service{}
	for _, s := range services {
		wanted[s.instance] = s
	}
	for _, name := range slices.Sorted(maps.Keys(r.services)) {
		if old := r.services[name]; wanted[name] == nil {
			delete(r.services, name)
			if old.ours() {
				out = append(out, r.multicast(goodbye(old.records), nil)...)
			}
		}
	}
	for _, s := range services {
		old := r.services[s.instance]
		switch {
		case old == nil:
			r.services[s.instance] = &advertised{service: s, next: now}
		case !old.same(s): // the name stays ours: announce what has changed
			old.service, old.announced, old.next = s, 0, now
		}
	}
	return out
}

// drop stops saying anything: the records are somebody else's now.
func (r *responder) drop() {
	clear(r.services)
	clear(r.sent)
}

// farewell withdraws everything, the host too.
func (r *responder) farewell() (out []packet) {
	for _, name := range slices.Sorted(maps.Keys(r.services)) {
		if s := r.services[name]; s.ours() {
			out = append(out, r.multicast(goodbye(s.records), goodbye)...)
		}
	}
	r.drop()
	return out
}

// step sends what is due.
func (r *responder) step(now time.Time) (out []packet) {
	maps.DeleteFunc(r.sent, func(_ sending, at time.Time) bool { return now.Sub(at) > multicastPause })
	for _, name := range slices.Sorted(maps.Keys(r.services)) {
		s := r.services[name]
		if now.Before(s.next) {
			continue
		}
		switch {
		case s.probed < probes:
			s.probed, s.next = s.probed+1, now.Add(probeEvery)
			out = append(out, r.probe(s)...)
		case s.announced < announcements:
			s.probed, s.announced, s.next = probes+1, s.announced+1, now.Add(announceEvery)
			out = append(out, r.multicast(s.records, same)...)
		}
	}
	return out
}

func same(records []dns.RR) []dns.RR { return records }

// multicast sends records on every link, and with them, changed by host, what the host is called by there.
func (r *responder) multicast(records []dns.RR, host func([]dns.RR) []dns.RR) (out []packet) {
	for _, l := range r.links {
		all := records
		if host != nil {
			all = slices.Concat(records, host(l.records))
		}
		for _, m := range responses(all, nil) {
			out = append(out, packet{link: l.index, msg: m})
		}
	}
	return out
}

// probe asks whether somebody has the name, and says what is going to be there.
func (r *responder) probe(s *advertised) (out []packet) {
	q := &dns.Msg{Question: []dns.Question{{Name: s.instance, Qtype: dns.TypeANY, Qclass: dns.ClassINET}}}
	for _, record := range s.records {
		if record.Header().Rrtype == dns.TypeSRV {
			record = dns.Copy(record)
			record.Header().Class &^= cacheFlush
			q.Ns = append(q.Ns, record)
		}
	}
	for _, l := range r.links {
		out = append(out, packet{link: l.index, msg: q})
	}
	return out
}

// receive takes a message, and returns what is to be said to it.
func (r *responder) receive(in packet, now time.Time) (out []packet) {
	if in.msg.Response {
		r.hear(slices.Concat(in.msg.Answer, in.msg.Extra), now)
		return nil
	}
	for _, l := range r.links {
		if l.index == in.link && in.msg.Opcode == dns.OpcodeQuery {
			return r.answer(l, in, now)
		}
	}
	return nil
}

// hear looks whether others have our names, or withdraw them.
func (r *responder) hear(records []dns.RR, now time.Time) {
	for _, record := range records {
		h := record.Header()
		if p, ok := record.(*dns.PTR); ok && h.Ttl == 0 {
			if s := r.find(p.Ptr); s != nil && s.ours() {
				s.announced = 0 // at its time: not more often than once a second
			}
		}
		text, ok := record.(*dns.TXT)
		if !ok || h.Ttl == 0 {
			continue
		}
		if s := r.find(h.Name); s != nil && !slices.Contains(text.Txt, "UUID="+s.uuid) {
			if s.probed > 0 {
				r.logger.Warn("another device on the network has the printer's name: it is not advertised", "name", s.instance, "again", conflictPause)
			}
			s.probed, s.announced, s.next = 0, 0, now.Add(conflictPause)
		}
	}
}

func (r *responder) find(instance string) *advertised {
	if s := r.services[instance]; s != nil {
		return s
	}
	for name, s := range r.services {
		if strings.EqualFold(name, instance) {
			return s
		}
	}
	return nil
}

// answer answers a question that came on a link.
func (r *responder) answer(l link, in packet, now time.Time) (out []packet) {
	var all []dns.RR
	for _, name := range slices.Sorted(maps.Keys(r.services)) {
		if s := r.services[name]; s.ours() {
			all = append(all, s.records...)
		}
	}
	if len(all) == 0 {
		return nil
	}
	all = append(all, l.records...)
	// Who asks from another port is no multicast responder, and gets the answer as of a plain name server (§6.7).
	legacy, unicast := in.addr.Port() != mdnsPort, true
	var found []dns.RR
	for _, q := range in.msg.Question {
		unicast = unicast && q.Qclass&cacheFlush != 0
		for _, record := range matching(q, all) {
			if !slices.Contains(found, record) && !known(record, in.msg.Answer) && !repeats(found, record) {
				found = append(found, record)
			}
		}
	}
	to := in.addr
	if !legacy && !unicast {
		to = netip.AddrPort{}
		found = slices.DeleteFunc(found, func(record dns.RR) bool { return r.recently(l, record, now) })
	}
	for _, m := range responses(found, besides(found, all)) {
		if legacy {
			plain(m, in.msg)
		}
		out = append(out, packet{link: l.index, addr: to, msg: m})
	}
	return out
}

// repeats: two services have the same record, that of their type.
func repeats(found []dns.RR, record dns.RR) bool {
	return slices.ContainsFunc(found, func(f dns.RR) bool { return dns.IsDuplicate(f, record) })
}

// recently: the record was multicast on the link just now. It notes that it will be.
func (r *responder) recently(l link, record dns.RR, now time.Time) bool {
	key := sending{l.index, record}
	if at, ok := r.sent[key]; ok && now.Sub(at) < multicastPause {
		return true
	}
	r.sent[key] = now
	return false
}

// plain makes a response fit for who knows nothing of multicast: its question, its id, and nothing to keep.
func plain(m, query *dns.Msg) {
	const briefly = 10
	m.Id, m.Question = query.Id, query.Question
	for _, list := range [][]dns.RR{m.Answer, m.Extra} {
		for i, record := range list {
			record = dns.Copy(record)
			record.Header().Class &^= cacheFlush
			record.Header().Ttl = min(record.Header().Ttl, briefly)
			list[i] = record
		}
	}
}
