package http

import (
	"errors"
	"fmt"
	"log/slog"
	nethttp "net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Options of a Server. The zero value of a field is its default, as said there.
type Options struct {
	// The member that this server speaks for, and its id. Required.
	Node   Node
	Member uint64
	// What CheckDevice says of a device's URI when a printer is set (printer.Validate). nil: any is taken.
	CheckDevice func(uri string) error

	// Bytes of the largest document. 0: 4 GiB - 1. More is answered 413.
	MaxDocument int64
	// Requests at once, without log tails. 0: 4096. More are answered 503 with Retry-After.
	MaxRequests int
	// Log tails at once. 0: 4096.
	MaxTails int
	// Bytes of a request's header lines. 0: 64 KiB. More are answered 431.
	MaxHeader int

	// How long a request's header lines may take. 0: 10 s.
	HeaderTimeout time.Duration
	// How long a body may bring nothing. 0: 60 s. Then it is answered 408.
	BodyTimeout time.Duration
	// How long a client may take nothing of an answer. 0: 60 s. Then its connection is closed.
	WriteTimeout time.Duration
	// How long an idle connection stays. 0: 2 min.
	IdleTimeout time.Duration
	// How long a command waits to be committed. 0: 30 s. Then its outcome is unknown.
	CommitTimeout time.Duration
	// How long a linearizable read waits for its barrier. 0: 10 s. Then it is answered 503.
	ReadTimeout time.Duration
	// How long Serve keeps idle connections when its context has ended, for requests that are on their way. 0: 100 ms.
	GraceTimeout time.Duration
	// How long Serve then lets requests end that are under way. 0: 10 s.
	DrainTimeout time.Duration
	// How long a quiet log tail goes without a bookmark. 0: 15 s.
	BookmarkEvery time.Duration

	// Names under which clients may address this server, beside loopback's and the address they connected to; "*": any,
	// which gives up the protection against DNS rebinding. Without port.
	AllowedHosts []string
	// Insecure allows Serve on a listener that is not loopback: whoever reaches it may print, cancel and reconfigure.
	Insecure bool

	// Takes the requests of type application/ipp. nil: they are answered 404.
	IPP nethttp.Handler
	// Where metrics are registered and gathered. nil: a registry of its own.
	Registry *prometheus.Registry
	// Further metrics: of the log, the transport, the driver.
	Collectors []prometheus.Collector
	// What this program calls itself, for /v1/cluster and /livez.
	Version string
	// nil: slog.Default().
	Logger *slog.Logger
}

func (o *Options) fill() error {
	if o.Node == nil || o.Member == 0 {
		return errors.New("http: options need a node and its member id")
	}
	for _, d := range []struct {
		name  string
		value *time.Duration
		zero  time.Duration
	}{
		{"header timeout", &o.HeaderTimeout, 10 * time.Second},
		{"body timeout", &o.BodyTimeout, time.Minute},
		{"write timeout", &o.WriteTimeout, time.Minute},
		{"idle timeout", &o.IdleTimeout, 2 * time.Minute},
		{"commit timeout", &o.CommitTimeout, 30 * time.Second},
		{"read timeout", &o.ReadTimeout, 10 * time.Second},
		{"grace timeout", &o.GraceTimeout, 100 * time.Millisecond},
		{"drain timeout", &o.DrainTimeout, 10 * time.Second},
		{"bookmark interval", &o.BookmarkEvery, 15 * time.Second},
	} {
		if *d.value < 0 {
			return fmt.Errorf("http: the %s is %v: it must not be negative", d.name, *d.value)
		}
		if *d.value == 0 {
			*d.value = d.zero
		}
	}
	if o.MaxDocument < 0 || o.MaxRequests < 0 || o.MaxTails < 0 || o.MaxHeader < 0 {
		return errors.New("http: limits must not be negative")
	}
	fillZero(&o.MaxDocument, 1<<32-1)
	fillZero(&o.MaxRequests, 4096)
	fillZero(&o.MaxTails, 4096)
	fillZero(&o.MaxHeader, 64<<10)
	if o.Registry == nil {
		o.Registry = prometheus.NewRegistry()
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return nil
}

func fillZero[T int | int64](field *T, value T) {
	if *field == 0 {
		*field = value
	}
}
