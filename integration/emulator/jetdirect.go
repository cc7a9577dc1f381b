package emulator

import (
	"errors"
	"net"
	"sync"
)

// A JetDirect is a raw TCP printer. Make it with [NewJetDirect], give it connections with Start or Serve, end it with Close.
type JetDirect struct {
	Engine
	options Options

	// Guarded by Engine.mu.
	gate    *gate
	session *session // the connection that is served
	count   int      // the page counter, which outlives the power

	serving sync.WaitGroup
}

// NewJetDirect makes a printer that is on.
func NewJetDirect(o Options) *JetDirect {
	if o.Buffer == 0 {
		o.Buffer = 64 << 10
	}
	if o.HostStatus {
		o.PJL = PJLPrinted
	}
	if o.Model == "" {
		o.Model = "EMULATOR"
	}
	p := &JetDirect{options: o}
	p.init(o.PageTime, o.Sums)
	return p
}

// Start serves a free port of 127.0.0.1 until Close, and returns its address.
func (p *JetDirect) Start() (string, error) {
	g, err := listen(p.options.SocketBuffer)
	if err != nil {
		return "", err
	}
	if err := p.enter(g); err != nil {
		g.Close()
		return "", err
	}
	p.serving.Go(func() { p.serve(g) })
	return g.Addr().String(), nil
}

// Serve serves the connections of a listener until Close or until the listener ends, and then returns nil or its error. It
// closes the listener.
func (p *JetDirect) Serve(ln net.Listener) error {
	g := newGate(ln, false)
	if err := p.enter(g); err != nil {
		ln.Close()
		return err
	}
	p.serving.Add(1)
	defer p.serving.Done()
	return p.serve(g)
}

func (p *JetDirect) enter(g *gate) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || p.gate != nil {
		return errors.New("the printer is closed or served already")
	}
	p.gate = g
	if p.off {
		g.close()
	}
	return nil
}

// serve serves one connection after another.
func (p *JetDirect) serve(g *gate) error {
	defer g.Close()
	var busy sync.WaitGroup
	defer busy.Wait()
	for {
		conn, era, err := g.accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return nil
			}
			return err
		}
		s := p.begin(conn, func() bool { return g.since(era) })
		switch {
		case s == nil:
			reset(conn)
		case p.options.RefusesSecond:
			busy.Go(s.run)
		default:
			s.run()
		}
	}
}

// begin makes the connection the one that is served; nil: the printer does not take it. here says whether
// it has had power ever since the connection came.
func (p *JetDirect) begin(conn net.Conn, here func() bool) *session {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.session != nil && !p.session.alive() && !p.closed {
		p.cond.Wait() // until what died with the power has been put away
	}
	if p.off || p.closed || p.session != nil || !here() {
		return nil
	}
	p.session = newSession(p, conn)
	return p.session
}

// Close ends the printer for good, like a loss of power, and returns when everything that it started has ended.
func (p *JetDirect) Close() error {
	p.mu.Lock()
	p.closed = true
	p.powerOff()
	if p.session != nil {
		reset(p.session.conn)
	}
	g := p.gate
	p.cond.Broadcast()
	p.mu.Unlock()
	if g != nil {
		g.Close()
	}
	p.serving.Wait()
	return nil
}
