package api

import (
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"
)

// What is appended is what json.Marshal makes, whichever fields a job has.
func TestAppendJSON(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	plain := 0
	for range 20_000 {
		j := anyJob(r)
		want, err := json.Marshal(j)
		if err != nil {
			t.Fatal(err)
		}
		got, err := j.AppendJSON([]byte("before"))
		if err != nil || string(got) != "before"+string(want) {
			t.Fatalf("appended, with %v:\n%s\nmarshalled:\n%s", err, got, want)
		}
		if len(j.Attempts) == 0 && j.Options == nil {
			plain++
		}
		item := BatchItem{Status: 201, Job: j}
		if r.IntN(4) == 0 {
			item = BatchItem{Status: 422, Problem: &Problem{Title: "no"}}
		}
		want, _ = json.Marshal(item)
		if got, err := item.AppendJSON(nil); err != nil || string(got) != string(want) {
			t.Fatalf("appended, with %v:\n%s\nmarshalled:\n%s", err, got, want)
		}
	}
	if plain < 1000 {
		t.Errorf("only %d jobs were plain", plain)
	}
}

// anyJob sets any of a job's fields.
func anyJob(r *rand.Rand) *Job {
	j := &Job{Attempts: []Attempt{}}
	often := 2 + r.IntN(30)
	texts := []string{"a", "label 7.txt", "text/plain", `"quoted"`, "<&>", "Grüße", "\x00\n\u2028", "bad \xff"}
	for _, f := range reflect.ValueOf(j).Elem().Fields() {
		if r.IntN(often) > 1 {
			continue
		}
		switch v := f.Addr().Interface().(type) {
		case *string:
			*v = texts[r.IntN(len(texts))]
		case *uint64:
			*v = r.Uint64()
		case *uint32:
			*v = r.Uint32()
		case *bool:
			*v = true
		case *time.Time:
			*v = time.Unix(r.Int64N(4e9), r.Int64N(1e9)).UTC()
		case *Submitted:
			*v = Submitted{r.Uint64(), r.Uint64(), time.Unix(r.Int64N(4e9), 1000*r.Int64N(1e6)).UTC()}
		case **Doubt:
			*v = &Doubt{Copy: 1, From: 2, To: 3, Why: texts[r.IntN(len(texts))]}
		case *[]Attempt:
			*v = []Attempt{{Number: r.Uint64(), Device: 1}}
		case *map[string]string:
			*v = map[string]string{"media": texts[r.IntN(len(texts))]}
		default:
			panic(f.Type().String() + " is new in a job")
		}
	}
	return j
}
