package queue

import (
	"math/rand/v2"
	"testing"

	"google.golang.org/protobuf/proto"

	"printq/queue/queuepb"
)

// A batch is what protobuf would make of it, whichever fields its commands have, also where the memory was used before.
func TestUnpackIsProtobufs(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var u unpacker
	for n := range 3000 {
		var list []Packed
		for range 1 + random.IntN(5) {
			list = append(list, Packed{Head: Encode(someCommand(random, n%8))})
		}
		head, _ := headOf(Pack(random.Int64(), list))
		want := new(queuepb.Batch)
		if err := proto.Unmarshal(head, want); err != nil {
			t.Fatal(err)
		}
		got, err := u.decode(head)
		if err != nil || !proto.Equal(got, want) {
			t.Fatalf("%x is\n%v, %v\nwant\n%v", head, got, err, want)
		}
	}
}

// someCommand is a submit mostly, and without options mostly.
func someCommand(random *rand.Rand, seldom int) *queuepb.Command {
	c := new(queuepb.Command)
	if random.IntN(5) == 0 {
		fill(c.ProtoReflect(), random, 40)
		return c
	}
	c.Session, c.Seq, c.Floor, c.Member, c.Payload = random.Uint64(), random.Uint64(), 1, uint64(random.IntN(3)), random.Uint32()
	m := new(queuepb.Submit)
	fill(m.ProtoReflect(), random, seldom)
	if random.IntN(5) > 0 {
		m.Options = nil
	}
	c.Body = &queuepb.Command_Submit{Submit: m}
	return c
}

// What a job has of its submit does not hold all that came with it.
func TestSubmitIsNotKept(t *testing.T) {
	w := setUp(t, nil)
	c := submit("p", 1, 1)
	c.GetSubmit().Name, c.GetSubmit().Key = "name", "key"
	id := w.send(c)
	w.submit("p", 1, 1) // uses the memory again
	if j := w.jobs.get(id); j.name != "name" || j.idempotency.key != "key" || j.sha256 != [32]byte(c.GetSubmit().Sha256) {
		t.Errorf("the job has become %q under %q", j.name, j.idempotency.key)
	}
}
