package ipp_test

import (
	"bytes"
	"context"
	"io"
	"net"
	nethttp "net/http"
	"strings"
	"testing"

	"github.com/OpenPrinting/goipp"

	"printq/http"
	"printq/http/ipp"
	"printq/node"
	"printq/queue"
	"printq/queue/queuepb"
)

// A member is as much of one as a Print-Job through the HTTP server needs.
type member struct {
	http.Node
	document bytes.Buffer
	job      *queue.Job
}

func (m *member) Applied() node.Position                         { return node.Position{Index: 1, Term: 1} }
func (m *member) Barrier(context.Context) (node.Position, error) { return m.Applied(), nil }
func (m *member) Cluster() node.ClusterStatus                    { return node.ClusterStatus{Cluster: "c0ffee"} }
func (m *member) Stats() node.Stats                              { return node.Stats{} }
func (m *member) Printer(string) (*node.PrinterStatus, error) {
	return &node.PrinterStatus{Printer: &queue.Printer{Name: "office"}}, nil
}

func (m *member) Job(uint64) (*node.JobStatus, error) { return &node.JobStatus{Job: m.job}, nil }

func (m *member) UploadFor(_ context.Context, _ uint64, r io.Reader, _ int64) (*node.Document, error) {
	n, err := m.document.ReadFrom(r)
	return &node.Document{Upload: []byte("0123456789abcdef"), Chunks: 5, Bytes: n}, err
}

func (m *member) Subscription(uint64) (*queue.Subscription, error) {
	return nil, queue.ErrNoSubscription
}
func (m *member) Subscriptions() ([]*queue.Subscription, error) { return nil, nil }

func (m *member) Propose(_ context.Context, cmd *queuepb.Command, _ []byte) (node.Answer, error) {
	c := cmd.GetSubmit()
	m.job = &queue.Job{Id: 1, Printer: c.Printer, State: uint32(queue.Pending), Bytes: c.Bytes}
	return node.Answer{Job: 1}, nil
}

// TestThroughServer: a Print-Job as libcups sends it, chunked and after a 100-continue, reaches the node through package http.
func TestThroughServer(t *testing.T) {
	m := new(member)
	h, err := ipp.New(ipp.Options{Node: m})
	if err != nil {
		t.Fatal(err)
	}
	server, err := http.New(http.Options{Node: m, Member: 1, IPP: h})
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- server.Serve(ctx, listener) }()
	defer func() {
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
	}()

	request := goipp.NewRequest(goipp.MakeVersion(2, 0), goipp.OpPrintJob, 1)
	request.Operation = goipp.Attributes{
		goipp.MakeAttr("attributes-charset", goipp.TagCharset, goipp.String("utf-8")),
		goipp.MakeAttr("attributes-natural-language", goipp.TagLanguage, goipp.String("en")),
		goipp.MakeAttr("printer-uri", goipp.TagURI, goipp.String("ipp://localhost/printers/office")),
	}
	head, err := request.EncodeBytes()
	if err != nil {
		t.Fatal(err)
	}
	document := strings.Repeat("a line\n", 200_000)
	body := io.MultiReader(bytes.NewReader(head), strings.NewReader(document))
	r, err := nethttp.NewRequest(nethttp.MethodPost, "http://"+listener.Addr().String()+"/printers/office", body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", goipp.ContentType)
	r.Header.Set("Expect", "100-continue")
	response, err := nethttp.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var answer goipp.Message
	if err := answer.Decode(response.Body); err != nil || response.StatusCode != 200 || answer.Code != goipp.Code(goipp.StatusOk) {
		t.Fatalf("answered %d, %v, %v", response.StatusCode, goipp.Status(answer.Code), err)
	}
	if m.document.String() != document {
		t.Errorf("%d bytes of the document came, of %d", m.document.Len(), len(document))
	}
}
