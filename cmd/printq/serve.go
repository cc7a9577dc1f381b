package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"

	"printq/http"
	"printq/http/dnssd"
	"printq/http/ipp"
	"printq/http/peer"
	"printq/node"
	"printq/printer"
	"printq/queue"
	"printq/queue/queuepb"
)

// serveFlags are those of one member.
type serveFlags struct {
	id             uint64
	data           string
	http, peer     string
	advertiseHTTP  string
	advertisePeer  string
	cluster        string
	insecure       bool
	hosts          []string
	maxDocument    int64
	logRetain      uint64
	lowDisk        uint64
	logLevel       string
	exitWithStdin  bool
	pprof          string
	deviceSecrets  string
	requestTimeout time.Duration
	frontFlags
}

func newServeCmd() *cobra.Command {
	f := new(serveFlags)
	c := &cobra.Command{
		Use:   "serve --id N --data DIR --http ADDR --peer ADDR [--cluster 1=ADDR,2=ADDR,3=ADDR]",
		Short: "Run a member of a cluster",
		Long: `serve runs one member until it is told to stop (SIGTERM or Ctrl-C): it then finishes the page that is printing, hands
leadership to another member, and goes.

The members of a new cluster are started with the same --cluster list, in any order: each waits until all have heard of
each other. After that the list is in the data directory, and --cluster is not needed any more.`,
		Example: `  printq serve --id 1 --data /var/lib/printq --http 127.0.0.1:8631 --peer 127.0.0.1:8632 --cluster 1=127.0.0.1:8632`,
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return f.run(c.Context(), c.InOrStdin(), c.ErrOrStderr())
		},
	}
	p := c.Flags()
	p.Uint64Var(&f.id, "id", 0, "this member's number, from 1; it never changes")
	p.StringVar(&f.data, "data", "", "data directory; made where it is missing")
	p.StringVar(&f.http, "http", "127.0.0.1:8631", "address for clients")
	p.StringVar(&f.peer, "peer", "127.0.0.1:8632", "address for the other members")
	p.StringVar(&f.advertiseHTTP, "advertise-http", "", "where clients reach this member, if not at --http")
	p.StringVar(&f.advertisePeer, "advertise-peer", "", "where members reach this member, if not at --peer")
	p.StringVar(&f.cluster, "cluster", "", "the peer addresses of a new cluster's members: 1=HOST:PORT,2=HOST:PORT,...")
	p.BoolVar(&f.insecure, "insecure", false, "allow listening beyond loopback, without encryption or credentials")
	p.StringSliceVar(&f.hosts, "host", nil, "a name that clients may call this server by, beside its addresses; may be repeated")
	p.Int64Var(&f.maxDocument, "max-document", 0, "bytes of the largest document (default 4 GiB - 1)")
	p.Uint64Var(&f.logRetain, "log-retain", 10_000, "log entries kept for members that are behind; those further behind get a snapshot")
	p.Uint64Var(&f.lowDisk, "low-disk", 1<<30, "bytes of free disk space below which new documents are refused")
	p.StringVar(&f.logLevel, "log-level", "info", "debug, info, warn or error")
	p.DurationVar(&f.requestTimeout, "request-timeout", 30*time.Second, "how long a request waits for its outcome")
	p.StringVar(&f.deviceSecrets, "device-secrets", "", "file with the secrets of print heads, a line HOST:PORT SECRET for each")
	p.StringVar(&f.pprof, "pprof", "", "loopback address for Go's profiles (/debug/pprof), for finding out where time goes")
	p.BoolVar(&f.exitWithStdin, "exit-with-stdin", false, "stop when standard input ends")
	_ = p.MarkHidden("exit-with-stdin")
	f.frontFlags.register(c)
	return c
}

func (f *serveFlags) run(ctx context.Context, stdin io.Reader, stderr io.Writer) error {
	members, err := f.check()
	if err != nil {
		return err
	}
	var level slog.Level
	if err := level.UnmarshalText([]byte(f.logLevel)); err != nil {
		return usage("--log-level is %q: it must be debug, info, warn or error", f.logLevel)
	}
	logger := slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: level}))
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if f.exitWithStdin {
		go func() {
			_, _ = io.Copy(io.Discard, stdin)
			cancel()
		}()
	}
	if f.pprof != "" {
		stop, err := servePprof(f.pprof)
		if err != nil {
			return err
		}
		defer stop()
	} else {
		runtime.MemProfileRate = 0 // a hundredth of a busy member's time, for what nobody can ask for
	}
	go limitMemory(ctx)
	m, err := f.listen(members, logger)
	if err != nil {
		return err
	}
	logger.Info("printq", "version", version, "member", f.id, "http", m.listener.Addr(), "peer", m.transport.Addr(), "data", f.data)
	return m.run(ctx)
}

// check finds what is wrong before anything is touched.
func (f *serveFlags) check() (map[uint64]string, error) {
	switch {
	case f.id == 0:
		return nil, usage("--id is missing: say which member this is, with a number from 1")
	case f.data == "":
		return nil, usage("--data is missing: say where this member keeps its data")
	}
	for _, a := range []struct{ flag, addr string }{
		{"--http", f.http}, {"--peer", f.peer}, {"--advertise-http", f.advertiseHTTP}, {"--advertise-peer", f.advertisePeer},
	} {
		if a.addr == "" && strings.HasPrefix(a.flag, "--adv") {
			continue
		}
		if _, _, err := net.SplitHostPort(a.addr); err != nil {
			return nil, usage("%s is %q: want HOST:PORT, such as 127.0.0.1:8631", a.flag, a.addr)
		}
		if !f.insecure && !http.IsLoopback(a.addr) {
			return nil, usage("%s is %s, which other hosts reach, and there is no encryption yet: use a loopback address, or say --insecure", a.flag, a.addr)
		}
	}
	if err := f.frontFlags.check(f.insecure); err != nil {
		return nil, err
	}
	return parseMembers(f.cluster)
}

func parseMembers(text string) (map[uint64]string, error) {
	if text == "" {
		return nil, nil
	}
	members := map[uint64]string{}
	for item := range strings.SplitSeq(text, ",") {
		id, addr, ok := strings.Cut(strings.TrimSpace(item), "=")
		n, err := strconv.ParseUint(id, 10, 64)
		if !ok || err != nil || n == 0 {
			return nil, usage("--cluster has %q: want ID=HOST:PORT, such as 1=127.0.0.1:8632", item)
		}
		if _, _, err := net.SplitHostPort(addr); err != nil {
			return nil, usage("--cluster has %q: want ID=HOST:PORT, such as 1=127.0.0.1:8632", item)
		}
		if members[n] != "" {
			return nil, usage("--cluster names member %d twice", n)
		}
		members[n] = addr
	}
	return members, nil
}

// A memberProcess is everything that one member is made of.
type memberProcess struct {
	node      *node.Node
	transport *peer.Transport
	driver    *printer.Driver
	server    *http.Server
	printing  *ipp.Handler
	listener  net.Listener
	// What serves clients beside HTTP.
	fronts []front
	// nil: the printers are not advertised.
	dnssd  *dnssd.Advertiser
	logger *slog.Logger
}

// listen makes the parts, and takes all ports before anything is read or written.
func (f *serveFlags) listen(members map[uint64]string, logger *slog.Logger) (*memberProcess, error) {
	listener, err := net.Listen("tcp", f.http)
	if err != nil {
		return nil, portError("--http", f.http, err)
	}
	m := &memberProcess{listener: listener, logger: logger}
	if m.fronts, err = f.frontFlags.listen(); err == nil {
		err = f.assemble(m, members)
	}
	if err != nil {
		return nil, errors.Join(err, listener.Close(), closeFronts(m.fronts))
	}
	return m, nil
}

func (f *serveFlags) assemble(m *memberProcess, members map[uint64]string) (err error) {
	secrets, err := readSecrets(f.deviceSecrets)
	if err != nil {
		return err
	}
	httpAddr := f.advertiseHTTP
	if httpAddr == "" {
		httpAddr = m.listener.Addr().String()
	}
	peerListener, err := net.Listen("tcp", f.peer)
	if err != nil {
		return portError("--peer", f.peer, err)
	}
	peerAddr := f.advertisePeer
	if peerAddr == "" {
		peerAddr = peerListener.Addr().String()
	}
	m.node, err = node.New(node.Options{
		ID: f.id, Dir: f.data, Members: members, HTTP: httpAddr, Peer: peerAddr,
		LowDisk: f.lowDisk, RetainEntries: f.logRetain, RequestTimeout: f.requestTimeout, Logger: m.logger,
	})
	if err != nil {
		return errors.Join(err, peerListener.Close())
	}
	m.transport, err = peer.New(peer.Options{ID: f.id, Listener: peerListener, Advertise: peerAddr, Logger: m.logger}, m.node)
	if err != nil {
		return errors.Join(err, peerListener.Close())
	}
	m.driver = printer.New(driverLog{m.node}, printer.Options{Member: f.id, Open: deviceOpener(secrets), Logger: m.logger})
	fetcher, err := f.frontFlags.fetcher()
	if err != nil {
		return err
	}
	m.printing, err = ipp.New(ipp.Options{
		Node: m.node, MaxDocument: f.maxDocument, Fetch: fetcher, TLSPort: m.tlsPort(), Version: version, Logger: m.logger,
	})
	if err != nil {
		return err
	}
	hosts := f.hosts
	if f.advertise {
		hosts = append(slices.Clone(hosts), advertisedHost(m.listener.Addr()))
	}
	m.server, err = http.New(http.Options{
		Node: m.node, IPP: m.printing, Member: f.id, CheckDevice: printer.Validate, MaxDocument: f.maxDocument, AllowedHosts: hosts,
		Insecure: f.insecure, Collectors: []prometheus.Collector{driverMetrics{m.driver}}, Version: version, Logger: m.logger,
	})
	if err != nil {
		return err
	}
	if err := f.frontFlags.assemble(m, frontOptions{
		maxDocument: f.maxDocument, timeout: f.requestTimeout, insecure: f.insecure,
		certificate: func() (certificateSource, error) { return f.frontFlags.certificate(f.data, hosts, m.logger) },
	}); err != nil {
		return err
	}
	if f.advertise {
		m.dnssd, err = m.advertiser(m.listener.Addr(), m.printing)
	}
	return err
}

func portError(flag, addr string, err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("%s %s: %w: ports below 1024 need a privilege: on Linux CAP_NET_BIND_SERVICE; or choose another port with %s", flag, addr, err, flag)
	}
	return fmt.Errorf("%s %s: %w: is another printq running there? Stop it, or choose another port with %s", flag, addr, err, flag)
}

// run runs the parts until ctx ends, and then stops them one after the other: clients first, so that what they were
// promised is kept; then the member, which hands leadership over; then what it needed for that.
func (m *memberProcess) run(ctx context.Context) error {
	base, stopBase := context.WithCancel(context.Background())
	defer stopBase()
	member, stopMember := context.WithCancel(base)
	clients, stopClients := context.WithCancel(ctx)
	defer stopClients()

	transported, drove, served := make(chan error, 1), make(chan error, 1), make(chan error, 1)
	go func() { transported <- unlessEnded(base, m.transport.Run(base)) }()
	go func() { drove <- unlessEnded(base, m.driver.Run(base)) }()
	go func() {
		telling, stopTelling := context.WithCancel(base)
		told := make(chan error, 1)
		go func() { told <- m.printing.Run(telling) }()
		err := m.serveClients(clients)
		stopTelling()
		served <- errors.Join(err, <-told)
		stopMember()
	}()
	err := m.node.Run(member, m.transport, m.driver)
	stopClients()
	err = errors.Join(err, <-served)
	stopBase()
	err = errors.Join(err, <-transported, <-drove)
	if err == nil {
		m.logger.Info("stopped")
	}
	return err
}

// unlessEnded leaves out the error of a context that was meant to end.
func unlessEnded(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// driverLog is the node as the driver sees it: node and printer know nothing of each other.
type driverLog struct{ *node.Node }

func (l driverLog) Decide(term uint64, cmd *queuepb.Command) bool { return l.Node.Decide(term, cmd) }

func (l driverLog) Document(ctx context.Context, w *queue.Work) (printer.Document, error) {
	d, err := l.Node.Document(ctx, w)
	if errors.Is(err, node.ErrDamaged) {
		err = fmt.Errorf("%w: %w", printer.ErrDocumentDamaged, err)
	}
	return d, err
}

// driverMetrics shows the driver's counters, by printer.
type driverMetrics struct{ d *printer.Driver }

var (
	descUnits    = driverDesc("units_total", "Units (pages, or whole documents) that came out.")
	descOpens    = driverDesc("opens_total", "Times that a device was opened with a new token.")
	descRefusals = driverDesc("refused_total", "Requests that the device refused, because a newer token had been opened or the attempt was not what may come next.")
	descErrors   = driverDesc("errors_total", "Operations that failed.")
)

func driverDesc(name, help string) *prometheus.Desc {
	return prometheus.NewDesc("printq_device_"+name, help, []string{"printer", "device"}, nil)
}

func (driverMetrics) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descUnits, descOpens, descRefusals, descErrors} {
		ch <- d
	}
}

func (m driverMetrics) Collect(ch chan<- prometheus.Metric) {
	for _, s := range m.d.Stats() {
		for _, c := range []struct {
			desc  *prometheus.Desc
			value uint64
		}{{descUnits, s.Units}, {descOpens, s.Opens}, {descRefusals, s.Refusals}, {descErrors, s.Errors}} {
			ch <- prometheus.MustNewConstMetric(c.desc, prometheus.CounterValue, float64(c.value), s.Printer, strconv.FormatUint(s.Device, 10))
		}
	}
}
