package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"net/url"
	"strings"
	"time"
)

// maxSaid bounds what a server may say beside the document.
const maxSaid = 64 << 10

// retrieve gets a document by FTP (RFC 959), as anonymous, over a connection that the server listens for (RFC 2428, EPSV).
func retrieve(ctx context.Context, u *url.URL) (io.ReadCloser, error) {
	control, err := dial(ctx, hostOf(u))
	if err != nil {
		return nil, err
	}
	t := &transfer{control: textproto.NewConn(struct {
		io.Reader
		io.Writer
		io.Closer
	}{io.LimitReader(control, maxSaid), control, control})}
	t.unwatch = context.AfterFunc(ctx, func() { _ = control.SetDeadline(time.Unix(1, 0)) })
	if err := t.begin(ctx, control.RemoteAddr(), strings.TrimPrefix(u.Path, "/")); err != nil {
		return nil, errors.Join(err, t.Close())
	}
	return t, nil
}

func dial(ctx context.Context, addr string) (net.Conn, error) {
	return (&net.Dialer{Timeout: answerTime}).DialContext(ctx, "tcp", addr)
}

// A transfer is a document on its way.
type transfer struct {
	control *textproto.Conn
	data    net.Conn
	// They tell the connections that the context has ended; calling them undoes that.
	unwatch, unwatchData func() bool
}

// begin says all that there is to say before the document comes.
func (t *transfer) begin(ctx context.Context, server net.Addr, path string) error {
	if _, _, err := t.control.ReadResponse(220); err != nil {
		return err
	}
	// A server that wants no password answers 230 at once.
	code, _, err := t.ask(0, "USER anonymous")
	if err == nil && code == 331 {
		code, _, err = t.ask(0, "PASS printq@")
	}
	if err == nil && code != 230 {
		err = fmt.Errorf("the server does not let anonymous in (%d)", code)
	}
	if err != nil {
		return err
	}
	if _, _, err := t.ask(200, "TYPE I"); err != nil {
		return err
	}
	_, told, err := t.ask(229, "EPSV")
	if err != nil {
		return err
	}
	if err := t.connect(ctx, server, told); err != nil {
		return err
	}
	_, _, err = t.ask(1, "RETR "+path)
	return err
}

// connect opens the data connection, to the host that the control connection is with.
func (t *transfer) connect(ctx context.Context, server net.Addr, told string) error {
	var port uint16
	_, after, _ := strings.Cut(told, "(")
	if _, err := fmt.Sscanf(after, "|||%d|)", &port); err != nil {
		return fmt.Errorf("EPSV is answered %.64q", told)
	}
	host, _, err := net.SplitHostPort(server.String())
	if err != nil {
		return err
	}
	t.data, err = dial(ctx, net.JoinHostPort(host, fmt.Sprint(port)))
	if err == nil {
		t.unwatchData = context.AfterFunc(ctx, func() { _ = t.data.SetDeadline(time.Unix(1, 0)) })
	}
	return err
}

// ask sends a command; of the answer's code, the digits that are expected are compared (0: none).
func (t *transfer) ask(expected int, command string) (code int, text string, err error) {
	if err := t.control.PrintfLine("%s", command); err != nil {
		return 0, "", err
	}
	return t.control.ReadResponse(expected)
}

// Read makes a transfer an io.Reader. The document is whole when the server says so, not when its connection ends.
func (t *transfer) Read(p []byte) (int, error) {
	n, err := t.data.Read(p)
	if err == io.EOF {
		if _, _, said := t.control.ReadResponse(2); said != nil {
			return n, fmt.Errorf("%w: the transfer did not end well: %w", ErrAccess, said)
		}
	}
	return n, err
}

// Close makes a transfer an io.Closer.
func (t *transfer) Close() error {
	t.unwatch()
	err := t.control.Close()
	if t.data != nil {
		t.unwatchData()
		err = errors.Join(err, t.data.Close())
	}
	return err
}
