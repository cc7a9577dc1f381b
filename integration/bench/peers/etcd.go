package main

import (
	"context"
	"errors"
	"math"
	"slices"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"printq/integration/bench/load"
)

// etcd stores each document under a fresh key, the keys growing, as a log of jobs would.
type etcd struct {
	endpoints []string
	clients   []*clientv3.Client
	patience  time.Duration
}

const prefix = "bench/"

func openEtcd(w load.Work) (*etcd, error) {
	t := &etcd{endpoints: w.Endpoints, patience: w.Patience()}
	for i := range max(1, min(connections, w.Clients)) {
		c, err := clientv3.New(clientv3.Config{
			Endpoints: around(w.Endpoints, i, w.Failover), DialTimeout: 5 * time.Second,
			MaxCallSendMsgSize: 64 << 20, MaxCallRecvMsgSize: math.MaxInt32, Logger: zap.NewNop(),
		})
		if err != nil {
			return nil, err
		}
		t.clients = append(t.clients, c)
	}
	return t, nil
}

func (t *etcd) Put(ctx context.Context, client int, n uint64, documents [][]byte) error {
	ctx, cancel := context.WithTimeout(ctx, t.patience)
	defer cancel()
	c := t.clients[client%len(t.clients)]
	if len(documents) == 1 {
		_, err := c.Put(ctx, prefix+load.Name(n), string(documents[0]))
		return err
	}
	var puts []clientv3.Op
	for i, d := range documents {
		puts = append(puts, clientv3.OpPut(prefix+load.Name(n+uint64(i)), string(d)))
	}
	_, err := c.Txn(ctx).Then(puts...).Commit()
	return err
}

func (t *etcd) Tail(ctx context.Context, fromStart bool, ready func(), line func(uint64) bool) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	opts := []clientv3.OpOption{clientv3.WithPrefix(), clientv3.WithCreatedNotify()}
	if fromStart {
		opts = append(opts, clientv3.WithRev(1))
	}
	for resp := range t.clients[0].Watch(ctx, prefix, opts...) {
		if err := resp.Err(); err != nil {
			return err
		}
		if resp.Created {
			ready()
		}
		for _, e := range resp.Events {
			if !line(load.Number(e.Kv.Key[len(prefix):])) {
				return nil
			}
		}
	}
	return ctx.Err()
}

func (t *etcd) Leader(ctx context.Context) (int, error) {
	var failed error
	for i, e := range t.endpoints {
		ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
		s, err := t.clients[0].Status(ctx, e)
		cancel()
		if err == nil && s.Leader == s.Header.MemberId {
			return i, nil
		}
		failed = errors.Join(failed, err)
	}
	return 0, errors.Join(errors.New("no member says that it leads"), failed)
}

// Repeats are inside of etcd's client, which does not say.
func (t *etcd) Repeats() map[string]int { return nil }

func (t *etcd) Close() {
	for _, c := range slices.Backward(t.clients) {
		_ = c.Close()
	}
}
