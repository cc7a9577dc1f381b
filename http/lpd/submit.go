package lpd

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"printq/http/intake"
	"printq/node"
)

// maxRounds is how often a day one job may be sent again on purpose and still have a key.
const maxRounds = 1000

// submit commits a job that is whole: one of printq's for each of its files. The files of one that was committed in part become
// the same jobs when the client sends it again.
func (n *session) submit(ctx context.Context, j *job) (*identity, error) {
	id := identify(n.Host(), n.printer, j)
	r := n.sent.next(id, n.options.RepeatWindow)
	for i, p := range j.control.prints {
		of := intake.Job{Printer: n.printer, Name: j.control.title(p, n.Host()), User: j.control.user, Copies: p.copies}
		if of.User == "" {
			of.User = n.Host()
		}
		a, err := n.submitFile(ctx, of, j.files[p.file], &r, func(round int) string { return id.key(i, round) })
		if err != nil {
			return nil, refuse("%w", err)
		}
		n.options.Logger.Debug("a job over lpd", "printer", n.printer, "host", n.Host(), "job", a.Job, "repeated", a.Repeated)
	}
	n.sent.note(id, r.number, false, n.options.RepeatWindow)
	return &id, nil
}

// A round is one time that a job was sent on purpose.
type round struct {
	number int
	// This is that round, and no later one.
	fixed bool
}

// submitFile looks for the round that the job is of, unless it is fixed already: a round in which the job was taken too long ago
// is over, and one in which it was taken within the window is the one of which this is a repeat.
func (n *session) submitFile(ctx context.Context, of intake.Job, doc *intake.Document, r *round, key func(int) string) (node.Answer, error) {
	for ; ; r.number++ {
		if of.Key = key(r.number); r.number >= maxRounds {
			of.Key = ""
		}
		a, err := intake.Submit(ctx, n.options.Node, of, doc, n.options.CommitTimeout)
		if err == nil && a.Repeated && !r.fixed && !n.recent(a.Job) {
			continue
		}
		r.fixed = r.fixed || err == nil
		return a, err
	}
}

// recent: the job was taken within the window.
func (n *session) recent(id uint64) bool {
	j, err := n.options.Node.Job(id)
	return err == nil && time.Since(time.Unix(0, j.GetSubmitted().GetTime())) < n.options.RepeatWindow
}

// An identity is what makes a job the same as another: who sends it, as what, and what is in it.
type identity [sha256.Size]byte

func identify(host, printer string, j *job) (id identity) {
	h := sha256.New()
	c := j.control
	fmt.Fprintf(h, "%q %q %q %q %q %q", host, printer, c.name, c.host, c.job, c.user)
	for _, p := range c.prints {
		fmt.Fprintf(h, " %q %q %d %x", p.file, p.source, p.copies, j.files[p.file].SHA256)
	}
	return identity(h.Sum(nil))
}

// key is the idempotency key of one file of a job, of the round-th time that it was sent on purpose.
func (id identity) key(file, round int) string {
	return fmt.Sprintf("lpd/%s/%d/%d", hex.EncodeToString(id[:]), file, round)
}
