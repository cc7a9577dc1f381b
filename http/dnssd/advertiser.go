package dnssd

import (
	"context"
	"fmt"
	"strconv"
	"time"
)

// How often it is looked whether this member leads, and which printers there are; and how fine the responder's clock is.
const (
	lookEvery = 500 * time.Millisecond
	stepEvery = 50 * time.Millisecond
)

// maxReceived is how many messages may wait to be answered. More are lost, as on a network that is busy.
const maxReceived = 64

// An Advertiser advertises the printers while its member leads.
type Advertiser struct {
	options   Options
	socket    *socket
	responder *responder
	// Whether it advertises.
	leading bool
}

// New opens the sockets. It advertises nothing before Run.
func New(o Options) (*Advertiser, error) {
	if err := o.fill(); err != nil {
		return nil, err
	}
	host := o.Host + "." + domain
	links, err := linksOf(o.Addr.Addr(), host)
	if err != nil {
		return nil, fmt.Errorf("advertise: %w", err)
	}
	s, err := openSocket(links)
	if err != nil {
		return nil, fmt.Errorf("advertise: %w", err)
	}
	return &Advertiser{options: o, socket: s, responder: newResponder(host, links, o.Logger)}, nil
}

// Close is for an Advertiser that does not run.
func (a *Advertiser) Close() error { return a.socket.Close() }

// Run advertises until ctx ends, and withdraws it then. It closes the sockets.
func (a *Advertiser) Run(ctx context.Context) error {
	received, ended := make(chan packet, maxReceived), make(chan error, 1)
	go func() { ended <- a.read(received) }()
	err := a.loop(ctx, received, ended)
	a.send(a.responder.farewell())
	_ = a.socket.Close()
	if err == nil {
		<-ended
	}
	return err
}

// read ends when the socket is closed.
func (a *Advertiser) read(received chan<- packet) error {
	buf := make([]byte, 9000) // the largest message (RFC 6762 §17)
	for {
		p, err := a.socket.receive(buf)
		if err != nil {
			return err
		}
		select {
		case received <- p:
		default:
		}
	}
}

func (a *Advertiser) loop(ctx context.Context, received <-chan packet, ended <-chan error) error {
	look, step := time.NewTicker(lookEvery), time.NewTicker(stepEvery)
	defer look.Stop()
	defer step.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-ended:
			return fmt.Errorf("advertise: %w", err)
		case <-look.C:
			a.look()
		case <-step.C:
			a.send(a.responder.step(time.Now()))
		case p := <-received:
			a.send(a.responder.receive(p, time.Now()))
		}
	}
}

// look brings what is advertised up to date.
func (a *Advertiser) look() {
	c := a.options.Node.Cluster()
	leads := c.Leader != 0 && c.Leader == c.ID
	if leads != a.leading {
		a.leading = leads
		a.options.Logger.Info("printers are advertised by the leader", "by_this_member", leads)
	}
	if !leads {
		a.responder.drop()
		return
	}
	printers, err := a.options.Node.Printers()
	if err != nil {
		return // the member is stopping
	}
	var services []*service
	for i := range printers {
		services = append(services, a.service("_ipp._tcp", a.options.Describe(&printers[i], a.reach(a.options.Addr.Port()), false), a.options.Addr.Port()))
		if port := a.options.TLSPort; port != 0 {
			services = append(services, a.service("_ipps._tcp", a.options.Describe(&printers[i], a.reach(port), true), port))
		}
	}
	a.send(a.responder.set(services, time.Now()))
}

func (a *Advertiser) reach(port uint16) string {
	return a.options.Host + ".local:" + strconv.Itoa(int(port))
}

func (a *Advertiser) service(kind string, p Printer, port uint16) *service {
	return newService(p, kind, a.responder.host, port)
}

// send sends what it can: what is lost on the way is lost, too.
func (a *Advertiser) send(out []packet) {
	for _, p := range out {
		if err := a.socket.send(p); err != nil {
			a.options.Logger.Debug("send a message of multicast DNS", "interface", p.link, "error", err)
		}
	}
}
