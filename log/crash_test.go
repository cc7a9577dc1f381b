package log_test

import (
	"errors"
	"testing"

	"printq/log/logtest"
)

// TestCrashAtEveryStep lets the power fail in each changing call of a random life, and goes on
// living after it.
func TestCrashAtEveryStep(t *testing.T) {
	const seeds, steps = 8, 40
	for seed := range uint64(seeds) {
		calls := live(t, seed, 0, steps)
		for at := 1; at <= calls; at++ {
			live(t, seed, at, steps)
		}
	}
}

// live runs a world of a seed. The power fails at the given call, and now and then after that. It
// returns the number of changing calls.
func live(t *testing.T, seed uint64, powerOff, steps int) int {
	w := newWorld(t, seed)
	defer func() {
		if t.Failed() {
			t.Logf("seed %d, power off at call %d", seed, powerOff)
		}
	}()
	w.disk.PowerOffAt(powerOff)
	w.survive(w.open())
	for range steps {
		w.survive(w.step())
	}
	if err := w.check(w.now()); err != nil {
		t.Fatal(err)
	}
	return w.disk.Steps()
}

// survive boots again after a loss of power, which may strike during Open again.
func (w *world) survive(err error) {
	for err != nil {
		if !errors.Is(err, logtest.ErrPower) {
			w.t.Fatal(err)
		}
		w.disk.Crash(w.rand)
		w.disk.PowerOffAt(w.rand.IntN(12))
		err = w.open()
	}
}

// TestLongLife crosses many segments, carries and carries of carries.
func TestLongLife(t *testing.T) {
	for seed := range uint64(4) {
		live(t, 1000+seed, 100, 800)
	}
}
