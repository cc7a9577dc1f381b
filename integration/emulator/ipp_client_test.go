package emulator

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/OpenPrinting/goipp"
)

// A client is a host that prints by IPP.
type client struct {
	t    *testing.T
	http http.Client
	url  string
	uri  string
}

func newClient(t *testing.T, p *IPP, uri string, dial func(context.Context, string, string) (net.Conn, error)) *client {
	transport := &http.Transport{DialContext: dial, DisableKeepAlives: true}
	if cert := p.Certificate(); cert != nil {
		pool := x509.NewCertPool()
		pool.AddCert(cert)
		transport.TLSClientConfig = &tls.Config{RootCAs: pool}
	}
	url := strings.NewReplacer("ipps://", "https://", "ipp://", "http://").Replace(uri)
	return &client{t: t, http: http.Client{Transport: transport}, url: url, uri: uri}
}

// startIPP makes a printer on a real socket and a client of it.
func startIPP(t *testing.T, o IPPOptions) (*IPP, *client) {
	t.Helper()
	p, err := NewIPP(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	uri, err := p.Start()
	if err != nil {
		t.Fatal(err)
	}
	return p, newClient(t, p, uri, nil)
}

func request(op goipp.Op, uri string, attrs ...goipp.Attribute) *goipp.Message {
	m := goipp.NewRequest(goipp.DefaultVersion, op, 7)
	m.Operation.Add(goipp.MakeAttr("attributes-charset", goipp.TagCharset, goipp.String("utf-8")))
	m.Operation.Add(goipp.MakeAttr("attributes-natural-language", goipp.TagLanguage, goipp.String("en")))
	m.Operation.Add(goipp.MakeAttr("printer-uri", goipp.TagURI, goipp.String(uri)))
	m.Operation.Add(goipp.MakeAttr("requesting-user-name", goipp.TagName, goipp.String("ann")))
	m.Operation = append(m.Operation, attrs...)
	return m
}

func (c *client) send(m *goipp.Message, document io.Reader) (*goipp.Message, error) {
	head, err := m.EncodeBytes()
	if err != nil {
		c.t.Fatal(err)
	}
	r, err := c.http.Post(c.url, goipp.ContentType, io.MultiReader(bytes.NewReader(head), document))
	if err != nil {
		return nil, err
	}
	defer r.Body.Close()
	if r.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("HTTP %s", r.Status)
	}
	var answer goipp.Message
	return &answer, answer.Decode(r.Body)
}

// do sends a request that is answered, and fails the test where it is not answered so.
func (c *client) do(want goipp.Status, m *goipp.Message, document string) *goipp.Message {
	c.t.Helper()
	answer, err := c.send(m, strings.NewReader(document))
	if err != nil {
		c.t.Fatalf("%s: %v", goipp.Op(m.Code), err)
	}
	if got := goipp.Status(answer.Code); got != want {
		c.t.Fatalf("%s was answered %s, want %s", goipp.Op(m.Code), got, want)
	}
	return answer
}

// print sends a text in one request.
func (c *client) print(text string, attrs ...goipp.Attribute) int {
	c.t.Helper()
	m := request(goipp.OpPrintJob, c.uri, strs("document-format", goipp.TagMimeType, []string{"text/plain"}))
	m.Job = attrs
	return number(c.do(goipp.StatusOk, m, text).Job, "job-id")
}

func (c *client) job(id int) goipp.Attributes {
	c.t.Helper()
	return c.do(goipp.StatusOk, request(goipp.OpGetJobAttributes, c.uri, integer("job-id", id)), "").Job
}

// brief is a job in a line.
func (c *client) brief(id int) string {
	j := c.job(id)
	return fmt.Sprintf("%s %s, %s printed", values(j, "job-state"), values(j, "job-state-reasons"), values(j, "job-impressions-completed"))
}

func values(attrs goipp.Attributes, name string) string {
	for _, a := range attrs {
		if a.Name == name {
			return a.Values.String()
		}
	}
	return "nothing"
}

func number(attrs goipp.Attributes, name string) int {
	var n int
	fmt.Sscan(values(attrs, name), &n)
	return n
}

// texts of the paper, a torn one with a ~.
func printed(paper []Page) string {
	var out []string
	for _, p := range paper {
		text := string(p.Data)
		if p.Torn {
			text += "~"
		}
		out = append(out, text)
	}
	return strings.Join(out, " ")
}

func wantPaper(t *testing.T, e *Engine, want string) {
	t.Helper()
	if got := printed(e.Pages()); got != want {
		t.Errorf("the paper is %q, want %q", got, want)
	}
}

// inBubble gives a printer and a client of it in virtual time.
func inBubble(t *testing.T, o IPPOptions, f func(*testing.T, *IPP, *client)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p, err := NewIPP(o)
		if err != nil {
			t.Fatal(err)
		}
		pipes := newPipes()
		done := make(chan error)
		go func() { done <- p.Serve(pipes) }()
		synctest.Wait()
		c := newClient(t, p, p.URI(), func(context.Context, string, string) (net.Conn, error) { return pipes.dial(), nil })
		c.url = "http://printer/ipp/print"
		f(t, p, c)
		c.http.CloseIdleConnections()
		p.Close()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}
