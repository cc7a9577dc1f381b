package dnssd

import (
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// A lan is caches on one link, as RFC 6762 wants them: what a phone would see.
type lan struct {
	t          *testing.T
	now        time.Time
	responders []*responder
	cache      map[string]dns.RR // by the record without its time
	until      map[string]time.Time
}

func newLAN(t *testing.T) *lan {
	return &lan{t: t, now: time.Unix(1e9, 0), cache: map[string]dns.RR{}, until: map[string]time.Time{}}
}

const linkIndex = 7

// join adds a host to the network.
func (l *lan) join(host string) *responder {
	host += ".local."
	addr := netip.AddrFrom4([4]byte{192, 0, 2, byte(len(l.responders) + 1)})
	r := newResponder(host, []link{{linkIndex, hostRecords(host, []netip.Addr{addr})}}, slog.New(slog.DiscardHandler))
	l.responders = append(l.responders, r)
	return r
}

// printers are services as of a leader.
func printers(r *responder, names ...string) (services []*service) {
	for _, name := range names {
		services = append(services, newService(Printer{name, []string{"txtvers=1", "UUID=uuid-of-" + name}}, "_ipp._tcp", r.host, 8631))
	}
	return services
}

// carry brings what somebody sent to everybody, and what they answer.
func (l *lan) carry(out []packet) {
	for len(out) > 0 {
		p := out[0]
		out = out[1:]
		b, err := p.msg.Pack()
		if err != nil {
			l.t.Fatal(err)
		}
		if len(b) > maxMessage && len(p.msg.Answer) > 1 {
			l.t.Errorf("a message of %d bytes", len(b))
		}
		m := new(dns.Msg)
		if err := m.Unpack(b); err != nil {
			l.t.Fatal(err)
		}
		if p.addr.IsValid() {
			continue
		}
		l.remember(m)
		for _, r := range l.responders {
			out = append(out, r.receive(packet{linkIndex, netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, 99}), mdnsPort), m}, l.now)...)
		}
	}
}

func keyOf(r dns.RR) string {
	r = dns.Copy(r)
	r.Header().Ttl, r.Header().Class = 0, dns.ClassINET
	return r.String()
}

func (l *lan) remember(m *dns.Msg) {
	if !m.Response {
		return
	}
	all := slices.Concat(m.Answer, m.Extra)
	for _, r := range all {
		h := r.Header()
		if h.Class&cacheFlush != 0 {
			for key, old := range l.cache {
				if o := old.Header(); o.Rrtype == h.Rrtype && strings.EqualFold(o.Name, h.Name) && !slices.ContainsFunc(all, func(n dns.RR) bool { return keyOf(n) == key }) {
					delete(l.cache, key)
				}
			}
		}
		l.cache[keyOf(r)] = r
		l.until[keyOf(r)] = l.now.Add(max(time.Second, time.Duration(h.Ttl)*time.Second))
	}
}

// pass lets time go by.
func (l *lan) pass(d time.Duration) {
	for end := l.now.Add(d); l.now.Before(end); l.now = l.now.Add(stepEvery) {
		for _, r := range l.responders {
			l.carry(r.step(l.now))
		}
		for key, until := range l.until {
			if l.now.After(until) {
				delete(l.cache, key)
				delete(l.until, key)
			}
		}
	}
}

// sees is what caches know of that name and type: the data alone.
func (l *lan) sees(name string, kind uint16) (data []string) {
	for _, r := range l.cache {
		if h := r.Header(); h.Rrtype == kind && strings.EqualFold(h.Name, name) {
			data = append(data, strings.TrimPrefix(dns.Copy(r).String(), h.String()))
		}
	}
	slices.Sort(data)
	return data
}

func (l *lan) want(name string, kind uint16, data ...string) {
	l.t.Helper()
	if got := l.sees(name, kind); !slices.Equal(got, data) {
		l.t.Errorf("%s %s is %q, want %q", name, dns.TypeToString[kind], got, data)
	}
}

// ask is a multicast question of somebody's, and the answers that it gets from one responder.
func (l *lan) ask(r *responder, name string, kind uint16, known ...dns.RR) (answers, more []dns.RR) {
	q := &dns.Msg{Question: []dns.Question{{Name: name, Qtype: kind, Qclass: dns.ClassINET}}, Answer: known}
	l.now = l.now.Add(multicastPause)
	for _, p := range r.receive(packet{linkIndex, netip.MustParseAddrPort("192.0.2.99:5353"), q}, l.now) {
		if b, err := p.msg.Pack(); err != nil || len(b) > maxMessage {
			l.t.Errorf("a message of %d bytes, %v", len(b), err)
		}
		answers, more = append(answers, p.msg.Answer...), append(more, p.msg.Extra...)
	}
	return answers, more
}

func TestAnnounce(t *testing.T) {
	l := newLAN(t)
	a := l.join("a")
	l.carry(a.set(printers(a, "office", "lab.2"), l.now))
	l.pass(700 * time.Millisecond)
	if len(l.cache) != 0 {
		t.Errorf("while it probes, it says %v", l.cache)
	}
	l.pass(3 * time.Second)
	l.want("_ipp._tcp.local.", dns.TypePTR, `lab\.2._ipp._tcp.local.`, "office._ipp._tcp.local.")
	l.want("_universal._sub._ipp._tcp.local.", dns.TypePTR, `lab\.2._ipp._tcp.local.`, "office._ipp._tcp.local.")
	l.want("_print._sub._ipp._tcp.local.", dns.TypePTR, `lab\.2._ipp._tcp.local.`, "office._ipp._tcp.local.")
	l.want("_services._dns-sd._udp.local.", dns.TypePTR, "_ipp._tcp.local.")
	l.want("office._ipp._tcp.local.", dns.TypeSRV, "0 0 8631 a.local.")
	l.want("office._ipp._tcp.local.", dns.TypeTXT, `"txtvers=1" "UUID=uuid-of-office"`)
	l.want("a.local.", dns.TypeA, "192.0.2.1")

	// One goes.
	l.carry(a.set(printers(a, "office"), l.now))
	l.pass(2 * time.Second)
	l.want("_ipp._tcp.local.", dns.TypePTR, "office._ipp._tcp.local.")
	l.want("_services._dns-sd._udp.local.", dns.TypePTR, "_ipp._tcp.local.")
	l.want(`lab\.2._ipp._tcp.local.`, dns.TypeSRV)
	// One changes.
	changed := printers(a, "office")
	changed[0].records[5] = newService(Printer{"office", []string{"note=x", "UUID=uuid-of-office"}}, "_ipp._tcp", a.host, 8631).records[5]
	l.carry(a.set(changed, l.now))
	l.pass(100 * time.Millisecond)
	l.want("office._ipp._tcp.local.", dns.TypeTXT, `"note=x" "UUID=uuid-of-office"`)
	// All go.
	l.carry(a.farewell())
	l.pass(2 * time.Second)
	l.want("_ipp._tcp.local.", dns.TypePTR)
	l.want("a.local.", dns.TypeA)
}

func TestAnswers(t *testing.T) {
	l := newLAN(t)
	a := l.join("a")
	l.carry(a.set(printers(a, "office"), l.now))
	l.pass(4 * time.Second)
	for _, c := range []struct {
		name string
		kind uint16
		want string // types of the answers and of what is besides
	}{
		{"_ipp._tcp.local.", dns.TypePTR, "PTR+SRV TXT A"},
		{"_IPP._TCP.Local.", dns.TypePTR, "PTR+SRV TXT A"},
		{"_universal._sub._ipp._tcp.local.", dns.TypePTR, "PTR+SRV TXT A"},
		{"_services._dns-sd._udp.local.", dns.TypePTR, "PTR+"},
		{"office._ipp._tcp.local.", dns.TypeSRV, "SRV+A"},
		{"office._ipp._tcp.local.", dns.TypeTXT, "TXT+"},
		{"office._ipp._tcp.local.", dns.TypeANY, "SRV TXT+A"},
		{"office._ipp._tcp.local.", dns.TypeA, "NSEC+"},
		{"a.local.", dns.TypeA, "A+"},
		{"a.local.", dns.TypeAAAA, "NSEC+"},
		{"b.local.", dns.TypeA, "+"},
		{"_ipps._tcp.local.", dns.TypePTR, "+"},
	} {
		answers, more := l.ask(a, c.name, c.kind)
		if got := typesOf(answers) + "+" + typesOf(more); got != c.want {
			t.Errorf("%s %s is answered with %q, want %q", c.name, dns.TypeToString[c.kind], got, c.want)
		}
	}
	answers, _ := l.ask(a, "_ipp._tcp.local.", dns.TypePTR)
	if again, _ := l.ask(a, "_ipp._tcp.local.", dns.TypePTR, answers...); len(again) > 0 {
		t.Errorf("what is known is answered: %v", again)
	}
	old := dns.Copy(answers[0])
	old.Header().Ttl = otherTTL/2 - 1
	if again, _ := l.ask(a, "_ipp._tcp.local.", dns.TypePTR, old); len(again) != 1 {
		t.Errorf("what is about to be forgotten is answered: %v", again)
	}
}

func typesOf(records []dns.RR) string {
	var types []string
	for _, r := range records {
		types = append(types, dns.TypeToString[r.Header().Rrtype])
	}
	return strings.Join(types, " ")
}

// TestRate: what was just multicast is not multicast again; an answer to one alone is not held back.
func TestRate(t *testing.T) {
	l := newLAN(t)
	a := l.join("a")
	l.carry(a.set(printers(a, "office"), l.now))
	l.pass(4 * time.Second)
	ask := func(from string, class uint16) []packet {
		q := &dns.Msg{MsgHdr: dns.MsgHdr{Id: 17}, Question: []dns.Question{{Name: "a.local.", Qtype: dns.TypeA, Qclass: class}}}
		return a.receive(packet{linkIndex, netip.MustParseAddrPort(from), q}, l.now)
	}
	if out := ask("192.0.2.9:5353", dns.ClassINET); len(out) != 1 || out[0].addr.IsValid() || out[0].msg.Id != 0 {
		t.Errorf("%v", out)
	}
	if out := ask("192.0.2.9:5353", dns.ClassINET); len(out) != 0 {
		t.Errorf("at once again: %v", out)
	}
	if out := ask("192.0.2.9:5353", dns.ClassINET|cacheFlush); len(out) != 1 || out[0].addr.String() != "192.0.2.9:5353" {
		t.Errorf("to one alone: %v", out)
	}
	out := ask("192.0.2.9:4711", dns.ClassINET)
	if len(out) != 1 || out[0].addr.Port() != 4711 || out[0].msg.Id != 17 || len(out[0].msg.Question) != 1 ||
		out[0].msg.Answer[0].Header().Class != dns.ClassINET || out[0].msg.Answer[0].Header().Ttl > 10 {
		t.Errorf("to a plain resolver: %v", out)
	}
	if out := a.receive(packet{8, netip.MustParseAddrPort("192.0.2.9:5353"), &dns.Msg{Question: []dns.Question{{Name: "a.local.", Qtype: dns.TypeA, Qclass: 1}}}}, l.now); out != nil {
		t.Errorf("on another link: %v", out)
	}
}

// TestTakeOver: whatever the old leader does, caches know the new one's host two seconds after its election, and only that.
func TestTakeOver(t *testing.T) {
	for name, end := range map[string]func(l *lan, a *responder){
		"dead": func(l *lan, a *responder) {
			l.responders = slices.DeleteFunc(l.responders, func(r *responder) bool { return r == a })
		},
		"paused":       func(*lan, *responder) {}, // answers until it notices
		"led no more":  func(_ *lan, a *responder) { a.drop() },
		"said goodbye": func(l *lan, a *responder) { l.carry(a.farewell()) },
	} {
		t.Run(name, func(t *testing.T) {
			l := newLAN(t)
			a, b := l.join("a"), l.join("b")
			l.carry(a.set(printers(a, "office"), l.now))
			l.pass(5 * time.Second)
			end(l, a)
			l.carry(b.set(printers(b, "office"), l.now))
			l.pass(2 * time.Second)
			l.want("_ipp._tcp.local.", dns.TypePTR, "office._ipp._tcp.local.")
			l.want("office._ipp._tcp.local.", dns.TypeSRV, "0 0 8631 b.local.")
			l.want("b.local.", dns.TypeA, "192.0.2.2")
		})
	}
}

// TestLateGoodbye: who has the name announces it again.
func TestLateGoodbye(t *testing.T) {
	l := newLAN(t)
	a, b := l.join("a"), l.join("b")
	l.carry(a.set(printers(a, "office"), l.now))
	l.pass(5 * time.Second)
	l.carry(b.set(printers(b, "office"), l.now))
	l.pass(5 * time.Second)
	l.carry(a.farewell())
	l.pass(2 * time.Second)
	l.want("_ipp._tcp.local.", dns.TypePTR, "office._ipp._tcp.local.")
	l.want("office._ipp._tcp.local.", dns.TypeSRV, "0 0 8631 b.local.")
}

// TestForeignName: another device's name is left to it, until it goes.
func TestForeignName(t *testing.T) {
	l := newLAN(t)
	foreign := l.join("foreign")
	l.carry(foreign.set([]*service{newService(Printer{"office", []string{"UUID=other"}}, "_ipp._tcp", foreign.host, 631)}, l.now))
	l.pass(5 * time.Second)
	a := l.join("a")
	l.carry(a.set(printers(a, "office", "lab"), l.now))
	l.pass(5 * time.Second)
	l.want("office._ipp._tcp.local.", dns.TypeSRV, "0 0 631 foreign.local.")
	l.want("lab._ipp._tcp.local.", dns.TypeSRV, "0 0 8631 a.local.")
	l.carry(foreign.farewell())
	l.pass(conflictPause + 5*time.Second)
	l.want("office._ipp._tcp.local.", dns.TypeSRV, "0 0 8631 a.local.")
}

// TestMany: a list of hundreds fits into messages that fit into frames.
func TestMany(t *testing.T) {
	l := newLAN(t)
	a := l.join("a")
	var names []string
	for i := range 300 {
		names = append(names, fmt.Sprintf("printer-%03d", i))
	}
	l.carry(a.set(printers(a, names...), l.now))
	l.pass(5 * time.Second)
	answers, _ := l.ask(a, "_ipp._tcp.local.", dns.TypePTR)
	if len(answers) != 300 || len(l.sees("_ipp._tcp.local.", dns.TypePTR)) != 300 {
		t.Errorf("%d answers", len(answers))
	}
}

// FuzzReceive: any message is survived, and is answered with no more than there is to say.
func FuzzReceive(f *testing.F) {
	for _, q := range []dns.Question{{Name: "_ipp._tcp.local.", Qtype: dns.TypePTR, Qclass: 1}, {Name: "office._ipp._tcp.local.", Qtype: dns.TypeANY, Qclass: 255}} {
		b, err := (&dns.Msg{Question: []dns.Question{q, q}}).Pack()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	r := newResponder("a.local.", []link{{linkIndex, hostRecords("a.local.", []netip.Addr{netip.MustParseAddr("192.0.2.1")})}}, slog.New(slog.DiscardHandler))
	for _, m := range []*dns.Msg{response(goodbye(printers(r, "office")[0].records)...), response(printers(r, "office")[0].records...)} {
		b, err := m.Pack()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m := new(dns.Msg)
		if m.Unpack(b) != nil {
			return
		}
		r := newResponder("a.local.", r.links, slog.New(slog.DiscardHandler))
		now := time.Unix(1e9, 0)
		r.set(printers(r, "office"), now)
		for range 100 {
			now = now.Add(stepEvery)
			r.step(now)
		}
		if out := r.receive(packet{linkIndex, netip.MustParseAddrPort("192.0.2.9:5353"), m}, now); len(out) > 1 {
			t.Errorf("%d messages", len(out))
		}
		for range 100 {
			now = now.Add(stepEvery)
			r.step(now)
		}
	})
}
