package queue

import (
	"bytes"
	"slices"
	"testing"
)

// What Find finds is what the changes amount to when they are carried out in order, also where a key was taken anew.
func TestFind(t *testing.T) {
	list := sorted([]Change{
		{Finished, number(7), nil},
		{Meta, []byte(Meta), []byte("m")},
		{Keys, []byte("b"), nil},
		{Live, number(9), []byte("9")},
		{Keys, []byte("b"), []byte("again")},
		{Finished, number(5), []byte("5")},
		{Live, number(2), nil},
		{Keys, []byte("a"), []byte("a")},
	})
	all := map[Bucket]map[string][]byte{}
	for _, c := range list {
		if all[c.Bucket] == nil {
			all[c.Bucket] = map[string][]byte{}
		}
		all[c.Bucket][string(c.Key)] = c.Value
	}
	for _, b := range Buckets {
		for _, key := range [][]byte{number(2), number(5), number(6), number(7), number(9), []byte("a"), []byte("b"), []byte("c"), []byte(Meta)} {
			want, there := all[b][string(key)]
			if value, found := Find(list, b, key); found != there || !bytes.Equal(value, want) || (value == nil) != (want == nil) {
				t.Errorf("%s %x: found %q, %v; want %q, %v", b, key, value, found, want, there)
			}
		}
	}
	inOrder := slices.IsSortedFunc(list, func(a, b Change) int { return slices.Index(Buckets, a.Bucket) - slices.Index(Buckets, b.Bucket) })
	if !inOrder {
		t.Errorf("not in the order of the buckets: %v", list)
	}
}
