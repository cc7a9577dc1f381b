//go:build !linux

package node

import "go.etcd.io/bbolt"

func unmapRead(*bbolt.Tx) {}
