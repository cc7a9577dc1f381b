package sim

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
)

// Shrink drops steps of a plan while the run still breaks the same invariant. Fails runs a plan and says which invariant it
// breaks; 0 and false: none.
func Shrink(p Plan, invariant int, fails func(Plan) (int, bool)) Plan {
	for size := max(len(p.Steps)/2, 1); ; size /= 2 {
		for from := 0; from < len(p.Steps); from += size {
			less := p
			less.Dropped = maps.Clone(p.Dropped)
			if less.Dropped == nil {
				less.Dropped = map[int]bool{}
			}
			for i := from; i < min(from+size, len(p.Steps)); i++ {
				less.Dropped[i] = true
			}
			if len(less.Dropped) == len(p.Dropped) {
				continue
			}
			if got, failed := fails(less); failed && got == invariant {
				p = less
			}
		}
		if size == 1 {
			return p
		}
	}
}

// Keep gives a plan without what was dropped from it: as it stands in the corpus.
func (p Plan) Keep() Plan {
	var steps []Step
	for i, s := range p.Steps {
		if !p.Dropped[i] {
			steps = append(steps, s)
		}
	}
	p.Steps, p.Dropped, p.Transcript = steps, nil, false
	return p
}

// WritePlan puts a plan into a file of the corpus.
func WritePlan(path string, p Plan) error {
	b, err := json.MarshalIndent(p.Keep(), "", " ")
	if err != nil {
		return fmt.Errorf("write plan %s: %w", path, err)
	}
	return os.WriteFile(path, append(b, '\n'), 0o644)
}

// ReadPlan is WritePlan undone.
func ReadPlan(path string) (p Plan, err error) {
	b, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(b, &p)
	}
	if err != nil {
		return p, fmt.Errorf("read plan %s: %w", path, err)
	}
	return p, nil
}
