package emulator

import (
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/OpenPrinting/goipp"
)

// An IPP is an IPP/2.0 printer. Make it with [NewIPP], give it connections with Start or Serve, end it with Close.
type IPP struct {
	Engine
	options IPPOptions
	cert    *certificate

	// Guarded by Engine.mu.
	gate    *gate
	server  *http.Server
	uuid    string
	started time.Time // of the power
	jobList []*ippJob // by id
	lastID  int
	count   int // the page counter, which outlives the power
	busy    bool
	barred  map[string]bool // formats that are refused
	plans   []plan
	seen    []goipp.Op
	conns   map[net.Conn]bool

	serving sync.WaitGroup
}

// NewIPP makes a printer that is on.
func NewIPP(o IPPOptions) (*IPP, error) {
	if o.Name == "" {
		o.Name = "emulator"
	}
	if o.UUID == "" {
		o.UUID = newUUID()
	}
	if o.Formats == nil {
		o.Formats = []string{
			"application/octet-stream", "text/plain", "image/pwg-raster", "application/vnd.zebra-zpl", "application/pdf",
			"application/postscript",
		}
	}
	if o.History == 0 {
		o.History = 100
	}
	if o.OpenTime == 0 {
		o.OpenTime = 2 * time.Minute
	}
	p := &IPP{
		options: o, uuid: o.UUID, started: time.Now(),
		barred: map[string]bool{}, conns: map[net.Conn]bool{},
	}
	p.init(o.PageTime, o.Sums)
	if !o.TLS {
		return p, nil
	}
	var err error
	p.cert, err = newCertificate()
	return p, err
}

func newUUID() string {
	var b [16]byte
	rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80 // version 4 (RFC 9562)
	return fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// Certificate is the printer's own, to trust; nil without TLS.
func (p *IPP) Certificate() *x509.Certificate {
	if p.cert == nil {
		return nil
	}
	return p.cert.leaf
}

// URI is printer-uri, once the printer is served.
func (p *IPP) URI() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.uri()
}

func (p *IPP) uri() string {
	scheme := "ipp"
	if p.cert != nil {
		scheme = "ipps"
	}
	if p.gate == nil {
		return ""
	}
	return scheme + "://" + p.gate.Addr().String() + "/ipp/print"
}

// Start serves a free port of 127.0.0.1 until Close, and returns the printer's URI.
func (p *IPP) Start() (string, error) {
	g, err := listen(0)
	if err != nil {
		return "", err
	}
	if err := p.enter(g); err != nil {
		g.Close()
		return "", err
	}
	p.serving.Go(func() { p.serve(g) })
	return p.URI(), nil
}

// Serve serves the connections of a listener until Close or until the listener ends, and then returns nil or its error. It
// closes the listener.
func (p *IPP) Serve(ln net.Listener) error {
	g := newGate(ln, false)
	if err := p.enter(g); err != nil {
		ln.Close()
		return err
	}
	p.serving.Add(1)
	defer p.serving.Done()
	return p.serve(g)
}

func (p *IPP) enter(g *gate) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || p.gate != nil {
		return errors.New("the printer is closed or served already")
	}
	p.gate = g
	p.server = p.newServer()
	if p.off {
		g.close()
	}
	p.serving.Go(p.produce)
	return nil
}

// Close ends the printer for good, like a loss of power, and returns when everything that it started has ended.
func (p *IPP) Close() error {
	p.mu.Lock()
	p.closed = true
	p.powerOff()
	server := p.server
	p.cond.Broadcast()
	p.mu.Unlock()
	if server != nil {
		server.Close()
	}
	p.serving.Wait()
	return nil
}
