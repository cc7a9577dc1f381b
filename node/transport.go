package node

import (
	"context"
	"io"
)

// A Frame is one message between two members. Its bytes are Bufs joined; the transport gathers them into one write and
// keeps them until it is written, so they must not change after Send.
type Frame struct {
	Kind byte
	// Urgent frames (heartbeats, votes, small answers) do not wait behind bulk ones.
	Urgent bool
	Bufs   [][]byte
	// Summed is how many of the last Bufs have checksums in those before them. The receiver's Handler verifies them, the transport the
	// rest.
	Summed int
}

// Transport carries frames and streams between members. It is started and stopped by whoever made it.
type Transport interface {
	// Send queues a frame for a member and never blocks. It reports false where the frame is dropped, because the queue
	// to that member is full or there is no connection: what is lost, raft and the resend of requests make good.
	Send(to uint64, f Frame) bool
	// Stream asks a member for a stream: the header says which. The reader ends with io.EOF only where the other side
	// said that it is whole; an error that the other side gave is a *RemoteError.
	Stream(ctx context.Context, to uint64, header []byte) (io.ReadCloser, error)
	// Probe is Stream before a cluster is known: to an address, without a cluster id in the handshake, for a short answer.
	Probe(ctx context.Context, addr string, header []byte) ([]byte, error)
	// SetCluster tells who we are: before it, only probes are made and answered. Members are the peers' addresses.
	SetCluster(cluster string, members map[uint64]string)
}

// Handler is what the transport calls; a Node is one. The methods are called from the transport's goroutines.
type Handler interface {
	// Receive takes a frame. The body is the callee's to keep. Where
	// the member is behind it waits, and with it the connection that the frame came by. An error says that the bytes are not those
	// that were sent: the connection ends.
	Receive(from uint64, kind byte, body []byte) error
	// Connected and Disconnected tell of the message connection to or from a member. Reset is true where the connection
	// ended without a goodbye, as it does when the process at the other end dies.
	Connected(id uint64)
	Disconnected(id uint64, reset bool)
	// ServeStream writes the stream that the header names. An error is sent to the other side as its text.
	ServeStream(ctx context.Context, from uint64, header []byte, w io.Writer) error
	// ServeProbe answers a probe, also before there is a cluster.
	ServeProbe(ctx context.Context, header []byte) ([]byte, error)
}

// A RemoteError is what another member answered instead of a stream.
type RemoteError struct {
	Member uint64
	Text   string
}

func (e *RemoteError) Error() string { return e.Text }
