package integration

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"testing"
	"time"

	"printq/integration/emulator"
	"printq/integration/paper"
)

// TestKilledSenderTearsNothing: a page that the printer's network stack takes at once is whole or not there, at whatever instruction the process
// that sends it is killed. The printer has less room than the pages of the window, so that it is always behind.
func TestKilledSenderTearsNothing(t *testing.T) {
	notShort(t, "many processes, one after the other")
	kills := 20
	if long() {
		kills = 400
	}
	page := 5 * time.Millisecond
	for name, c := range map[string]struct {
		o       emulator.Options
		options string
	}{
		"counted": {emulator.Options{}, ""},
		"blind":   {emulator.Options{PJL: emulator.PJLSkipped}, "?pjl=off&window=4"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := within(t, time.Minute)
			p := socketPress(t, name, c.options, small(c.o, page), true)
			for n := range kills {
				p.documents = append(p.documents, paper.Document{Name: fmt.Sprintf("%s %d", name, n), Pages: 60})
				sender := exec.CommandContext(ctx, os.Args[0])
				sender.Env = append(os.Environ(), senderOf+"="+p.uri+" "+p.documents[n].Name)
				sender.Stderr = os.Stderr
				begun := len(p.pages())
				if err := sender.Start(); err != nil {
					t.Fatal(err)
				}
				until(ctx, t, "it prints", func() bool { return len(p.pages()) > begun+2 })
				breathe(ctx, time.Duration(rand.IntN(int(20*page))))
				_ = sender.Process.Kill() // if it has ended, Wait says so
				if err := sender.Wait(); err == nil {
					t.Fatal("it was not killed")
				}
				until(ctx, t, "the printer is at rest", p.rests)
			}
			got := paper.Count(p.pages(), p.documents...)
			t.Logf("%d kills: %v", kills, got)
			if got.Torn+got.Doubled+got.Mixed > 0 {
				t.Errorf("%d sheets are torn, %d doubled, %d mixed", got.Torn, got.Doubled, got.Mixed)
			}
		})
	}
}
