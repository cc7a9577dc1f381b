package http

import (
	"github.com/prometheus/client_golang/prometheus"

	"printq/node"
)

// A nodeMetric is one field of node.Stats.
type nodeMetric struct {
	desc  *prometheus.Desc
	kind  prometheus.ValueType
	value func(*node.Stats) float64
}

// A nodeCollector asks the node once per scrape.
type nodeCollector struct {
	node    Node
	metrics []nodeMetric
}

func newNodeCollector(n Node) *nodeCollector {
	c := &nodeCollector{node: n}
	counter := func(name, help string, field func(*node.Stats) uint64) {
		c.add(prometheus.CounterValue, name+"_total", help, func(s *node.Stats) float64 { return float64(field(s)) })
	}
	now := func(name, help string, field func(*node.Stats) uint64) {
		c.add(prometheus.GaugeValue, name, help, func(s *node.Stats) float64 { return float64(field(s)) })
	}
	counter("proposals", "Commands proposed.", func(s *node.Stats) uint64 { return s.Proposals })
	counter("refused", "Commands refused before they were proposed.", func(s *node.Stats) uint64 { return s.Refused })
	counter("resent", "Commands sent again after a leader change.", func(s *node.Stats) uint64 { return s.Resent })
	counter("not_held", "Messages of entries that named a document which this member no longer held.", func(s *node.Stats) uint64 { return s.NotHeld })
	counter("void", "Commands without effect.", func(s *node.Stats) uint64 { return s.Void })
	counter("elections", "Elections that this member campaigned in.", func(s *node.Stats) uint64 { return s.Elections })
	now("leading", "1 while this member leads.", func(s *node.Stats) uint64 { return s.Leading })
	now("applied_index", "Index of the last entry applied.", func(s *node.Stats) uint64 { return s.Applied })
	now("commit_index", "Index of the last entry known to be committed.", func(s *node.Stats) uint64 { return s.Commit })
	now("term", "The current term.", func(s *node.Stats) uint64 { return s.Term })
	counter("state_batches", "Transactions of state.db.", func(s *node.Stats) uint64 { return s.Batches })
	counter("snapshots_sent", "Snapshots sent.", func(s *node.Stats) uint64 { return s.SnapshotsSent })
	counter("snapshots_installed", "Snapshots installed.", func(s *node.Stats) uint64 { return s.SnapshotsInstalled })
	counter("documents_repaired", "Documents taken from another member.", func(s *node.Stats) uint64 { return s.DocumentsRepaired })
	now("jobs_pending", "Jobs pending.", func(s *node.Stats) uint64 { return s.Pending })
	now("jobs_held", "Jobs held.", func(s *node.Stats) uint64 { return s.Held })
	now("jobs_in_doubt", "Jobs held until a person says what came out.", func(s *node.Stats) uint64 { return s.InDoubt })
	now("jobs_processing", "Jobs that print.", func(s *node.Stats) uint64 { return s.Processing })
	now("jobs_stopped", "Jobs bound to a device that cannot go on.", func(s *node.Stats) uint64 { return s.Stopped })
	now("jobs_finished", "Ended jobs kept.", func(s *node.Stats) uint64 { return s.Finished })
	now("inflight", "Commands under way.", func(s *node.Stats) uint64 { return s.Inflight })
	now("inflight_bytes", "Bytes of documents under way.", func(s *node.Stats) uint64 { return s.InflightBytes })
	now("log_segments", "Segments of the log.", func(s *node.Stats) uint64 { return s.LogSegments })
	now("log_bytes", "Bytes of the log.", func(s *node.Stats) uint64 { return s.LogBytes })
	now("log_live_bytes", "Bytes of the log that are needed.", func(s *node.Stats) uint64 { return s.LogLiveBytes })
	now("cache_bytes", "Bytes of entries cached.", func(s *node.Stats) uint64 { return s.CacheBytes })
	counter("cache_hits", "Entries found in the cache.", func(s *node.Stats) uint64 { return s.CacheHits })
	counter("cache_misses", "Entries read from disk.", func(s *node.Stats) uint64 { return s.CacheMisses })
	counter("syncs", "Syncs of the log.", func(s *node.Stats) uint64 { return s.Syncs })
	c.add(prometheus.CounterValue, "sync_seconds_total", "Time spent syncing the log.",
		func(s *node.Stats) float64 { return s.SyncSeconds })
	c.add(prometheus.GaugeValue, "sync_max_seconds", "The longest sync of the log.",
		func(s *node.Stats) float64 { return s.SyncMaxSeconds })
	now("disk_free_bytes", "Bytes free where the data lies.", func(s *node.Stats) uint64 { return s.DiskFree })
	c.add(prometheus.GaugeValue, "key_reach_seconds", "How far back keys of finished jobs reach; 0: as far as they should.",
		func(s *node.Stats) float64 { return s.KeyReach.Seconds() })
	now("line_newest", "Seq of the newest log line.", func(s *node.Stats) uint64 { return s.Lines })
	now("line_oldest", "Seq of the oldest log line kept.", func(s *node.Stats) uint64 { return s.OldestLine })
	return c
}

func (c *nodeCollector) add(kind prometheus.ValueType, name, help string, value func(*node.Stats) float64) {
	c.metrics = append(c.metrics, nodeMetric{prometheus.NewDesc("printq_"+name, help, nil, nil), kind, value})
}

// Describe makes a nodeCollector a prometheus.Collector.
func (c *nodeCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, m := range c.metrics {
		ch <- m.desc
	}
}

// Collect makes a nodeCollector a prometheus.Collector.
func (c *nodeCollector) Collect(ch chan<- prometheus.Metric) {
	stats := c.node.Stats()
	for _, m := range c.metrics {
		ch <- prometheus.MustNewConstMetric(m.desc, m.kind, m.value(&stats))
	}
}
