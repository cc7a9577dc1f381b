package queue

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"google.golang.org/protobuf/proto"

	"printq/queue/queuepb"
)

// fingerprint is what a request under an idempotency key was: the same for a repeat, another for any other request.
func (c *submission) fingerprint() [32]byte {
	b := make([]byte, 0, 256)
	text := func(s string) { b = append(binary.AppendUvarint(b, uint64(len(s))), s...) }
	text(c.printer)
	text(string(c.sha256))
	text(c.format)
	text(c.name)
	text(c.user)
	hold := uint64(0)
	if c.hold {
		hold = 1
	}
	for _, n := range []uint64{c.bytes, uint64(c.copies), uint64(c.priority), hold, uint64(c.asked), c.of, uint64(c.start)} {
		b = binary.AppendUvarint(b, n)
	}
	for _, o := range c.options {
		text(o.Name)
		text(o.Value)
	}
	return sha256.Sum256(b)
}

// repeated looks whether the request was carried out before under its key; job 0: it was not.
func (t *turn) repeated(c *submission) (job uint64, err error) {
	if c.key == "" {
		return 0, nil
	}
	c.print = c.fingerprint()
	job, print := t.lookUp(c.key)
	if job != 0 && print != c.print {
		return job, fmt.Errorf("%w: key %q stands for job %d", ErrKeyReused, c.key, job)
	}
	return job, nil
}

// lookUp finds the job that a key was used for.
func (t *turn) lookUp(key string) (job uint64, print [32]byte) {
	if j := t.liveKeys[key]; j != nil {
		return j.id, j.idempotency.fingerprint
	}
	if k := t.usedKey(key); k != nil {
		return k.job, k.fingerprint
	}
	return 0, print
}

// usedKey finds the key of an ended job; nil if there is none.
func (t *turn) usedKey(key string) *usedKey {
	if k := t.usedKeys[key]; k != nil {
		if k.gone {
			return nil
		}
		return k
	}
	raw := t.get(Keys, []byte(key))
	if raw == nil {
		return nil
	}
	var m queuepb.Key
	if err := proto.Unmarshal(raw, &m); err != nil {
		t.broken = fmt.Errorf("record of key %q: %w", key, err)
		return nil
	}
	k := &usedKey{job: m.Job, ended: m.Ended, idempotency: idempotency{key: key}}
	copy(k.fingerprint[:], m.Fingerprint)
	k.stored, k.sum = rankOf(Keys), recordSum(Keys, []byte(key), raw)
	return k
}

// get reads a record through the view. A view that fails stops the turn.
func (t *turn) get(b Bucket, key []byte) []byte {
	if t.view == nil || t.broken != nil {
		return nil
	}
	raw, err := t.view.Get(b, key)
	if err != nil {
		t.broken = fmt.Errorf("read %s %x: %w", b, key, err)
		return nil
	}
	return raw
}

// endKey turns the key of a live job into that of an ended one.
func (t *turn) endKey(j *job) {
	if j.idempotency == nil {
		return
	}
	k := &usedKey{idempotency: *j.idempotency, job: j.id, ended: j.rare.ended}
	delete(t.liveKeys, k.idempotency.key)
	t.usedKeys[k.idempotency.key] = k
	t.keyEnds.push(keyEnd{k.idempotency.key, k.job, k.ended})
	t.keys++
	t.touch(k)
}

// dropKey forgets the key of an ended job.
func (t *turn) dropKey(k *usedKey) {
	t.usedKeys[k.idempotency.key] = k
	t.keyEnds.remove(k.job)
	t.keys--
	t.erase(k)
}
