package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"printq/integration/bench/load"
)

// jetStream publishes each document to one stream of three replicas, and waits for its acknowledgement.
type jetStream struct {
	conns   []*nats.Conn
	streams []jetstream.JetStream
	// How long a document may take.
	patience time.Duration
}

const stream, subject = "BENCH", "bench.jobs"

func openNATS(ctx context.Context, w load.Work) (*jetStream, error) {
	t := &jetStream{patience: w.Patience()}
	for i := range max(1, min(connections, w.Clients)) {
		opts := []nats.Option{nats.MaxReconnects(-1), nats.ReconnectWait(20 * time.Millisecond), nats.ReconnectJitter(0, 0), nats.DontRandomize()}
		if !w.Failover {
			opts = append(opts, nats.IgnoreDiscoveredServers())
		}
		conn, err := nats.Connect("nats://"+strings.Join(around(w.Endpoints, i, w.Failover), ",nats://"), opts...)
		if err != nil {
			return nil, err
		}
		t.conns = append(t.conns, conn)
		js, err := jetstream.New(conn, jetstream.WithPublishAsyncMaxPending(1<<16))
		if err != nil {
			return nil, err
		}
		t.streams = append(t.streams, js)
	}
	return t, t.create(ctx)
}

// create makes the stream; the servers may not have found each other yet.
func (t *jetStream) create(ctx context.Context) (err error) {
	for range 20 {
		ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
		_, err = t.streams[0].CreateOrUpdateStream(ctx, jetstream.StreamConfig{
			Name: stream, Subjects: []string{subject}, Storage: jetstream.FileStorage, Replicas: 3,
		})
		cancel()
		if err == nil {
			return nil
		}
		time.Sleep(200 * time.Millisecond)
	}
	return fmt.Errorf("create the stream: %w", err)
}

func (t *jetStream) Put(ctx context.Context, client int, _ uint64, documents [][]byte) error {
	ctx, cancel := context.WithTimeout(ctx, t.patience)
	defer cancel()
	js := t.streams[client%len(t.streams)]
	if len(documents) == 1 {
		_, err := js.Publish(ctx, subject, documents[0])
		return err
	}
	var waiting []jetstream.PubAckFuture
	for _, d := range documents {
		f, err := js.PublishAsync(subject, d)
		if err != nil {
			return err
		}
		waiting = append(waiting, f)
	}
	for _, f := range waiting {
		select {
		case <-f.Ok():
		case err := <-f.Err():
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// Tail uses an ordered consumer: in order, without acknowledgements.
func (t *jetStream) Tail(ctx context.Context, fromStart bool, ready func(), line func(uint64) bool) error {
	policy := jetstream.DeliverNewPolicy
	if fromStart {
		policy = jetstream.DeliverAllPolicy
	}
	consumer, err := t.streams[0].OrderedConsumer(ctx, stream, jetstream.OrderedConsumerConfig{DeliverPolicy: policy})
	if err != nil {
		return err
	}
	messages, err := consumer.Messages(jetstream.PullMaxMessages(2000))
	if err != nil {
		return err
	}
	defer messages.Stop()
	defer context.AfterFunc(ctx, messages.Stop)()
	ready()
	for {
		m, err := messages.Next()
		if err != nil {
			return err
		}
		if !line(load.Number(m.Data())) {
			return nil
		}
	}
}

// Leader is the stream's; its servers are called n1 to n3.
func (t *jetStream) Leader(ctx context.Context) (int, error) {
	s, err := t.streams[0].Stream(ctx, stream)
	if err != nil {
		return 0, err
	}
	info, err := s.Info(ctx)
	if err != nil {
		return 0, err
	}
	n, err := strconv.Atoi(strings.TrimPrefix(info.Cluster.Leader, "n"))
	return n - 1, err
}

// Repeats are inside of NATS's client, which does not say.
func (t *jetStream) Repeats() map[string]int { return nil }

func (t *jetStream) Close() {
	for _, c := range t.conns {
		c.Close()
	}
}
