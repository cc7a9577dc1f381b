package emulator

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"time"

	"github.com/OpenPrinting/goipp"
)

// maxDocument bounds what a request may bring.
const maxDocument = 2 << 30

func (p *IPP) newServer() *http.Server {
	return &http.Server{
		Handler:   p,
		ConnState: p.connected,
		ErrorLog:  slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
	}
}

// serve serves requests until the gate closes for good. When it returns, all connections and their handlers have ended.
func (p *IPP) serve(g *gate) error {
	var ln net.Listener = g
	if p.cert != nil {
		ln = tls.NewListener(g, &tls.Config{Certificates: []tls.Certificate{p.cert.pair}})
	}
	err := p.server.Serve(ln)
	g.Close()
	p.server.Close()
	p.allGone()
	if errors.Is(err, http.ErrServerClosed) || errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// connected keeps the connections that die with the power.
func (p *IPP) connected(conn net.Conn, state http.ConnState) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch state {
	case http.StateNew:
		p.conns[conn] = true
	case http.StateClosed, http.StateHijacked:
		delete(p.conns, conn)
		p.cond.Broadcast()
	}
}

func (p *IPP) allGone() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.conns) > 0 {
		p.cond.Wait()
	}
}

// cut ends a connection without a word.
func cut(conn net.Conn) {
	if secure, ok := conn.(*tls.Conn); ok {
		conn = secure.NetConn()
	}
	reset(conn)
}

// ServeHTTP answers an IPP request (RFC 8010 §3.4): a POST of type application/ipp, on any path.
func (p *IPP) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost || r.Header.Get("Content-Type") != goipp.ContentType {
		http.Error(w, "this is a printer: POST application/ipp", http.StatusUnsupportedMediaType)
		return
	}
	boot, ok := p.power()
	if !ok {
		panic(http.ErrAbortHandler)
	}
	q := &ippRequest{boot: boot}
	if err := q.Decode(r.Body); err != nil {
		http.Error(w, "the request is not IPP", http.StatusBadRequest)
		return
	}
	q.op = goipp.Op(q.Code)
	if q.op == goipp.OpPrintJob || q.op == goipp.OpSendDocument {
		p.read(q, http.MaxBytesReader(w, r.Body, maxDocument))
	}
	answer, ok := p.handle(q)
	if !ok {
		panic(http.ErrAbortHandler) // cuts the connection
	}
	w.Header().Set("Content-Type", goipp.ContentType)
	if body, err := answer.EncodeBytes(); err == nil {
		w.Write(body)
		return
	}
	panic(http.ErrAbortHandler)
}

// power waits while the printer hangs, and reports whether there is power.
func (p *IPP) power() (boot int, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.hung && !p.off {
		p.cond.Wait()
	}
	return p.boot, !p.off
}

// A certificate is a printer's: signed by nobody but itself.
type certificate struct {
	pair tls.Certificate
	leaf *x509.Certificate
}

func newCertificate() (*certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()),
		Subject:      pkix.Name{CommonName: "emulator"},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().AddDate(10, 0, 0),
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
		DNSNames:     []string{"localhost"},
	}
	raw, err := x509.CreateCertificate(rand.Reader, &template, &template, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(raw)
	return &certificate{tls.Certificate{Certificate: [][]byte{raw}, PrivateKey: key}, leaf}, err
}
