package model

import (
	"strings"
	"testing"

	"printq/queue"
)

// A bug is one thing that is not as the rules say.
type bug int

const (
	none bug = iota
	// The device.
	noFence      // prints whatever comes
	noToken      // serves any token
	noAttempt    // the mark is of a job, whichever its attempt
	noOrder      // takes a page of an earlier attempt
	noCopy       // the mark knows pages, and not copies
	noFirst      // takes an attempt only at page 1
	forgetsClose // a close of an attempt that it has not seen is not remembered
	noEpoch      // the epoch stays where the mark is lost
	twoNames     // answers with an identity for each of its URIs
	oneStep      // a whole-job device that prints what it has no id for yet
	reconnects   // a connection that is gone is made again, under the same claim
	// The driver.
	oldMark       // resumes with the mark that the device had when the term began
	hasty         // does not wait for its Resume to commit
	trusting      // takes a page without an answer for printed
	noIntent      // announces nothing
	intentLate    // announces what it has begun
	intentHasty   // does not wait for its Intent to commit
	documentEarly // does not wait for its Remote to commit
	resubmits     // what a device has forgotten goes to it once more
	// The log.
	noTag // what an old leader decided commits with the tag of the new term (R1 off)
	// The state machine.
	anyToken        // any token is the live one (R5 off for the token)
	noDoneAttempt   // whatever the device is at is done (R5 off for Done)
	resumeTwice     // a claim may be resumed again
	anyMark         // a mark is one of the attempt that recovers, whichever it names
	unbound         // a job that recovers goes to whichever device is idle
	moveAtOnce      // a move does not wait for the attempt to be closed
	noForcedClose   // what a forced move tears away need not be closed
	resolveCloses   // a resolved job has nothing that is to be closed
	resolveEarly    // a resolved job begins a page before the one that was said
	policyFromStart // what is in doubt begins anew with what is not
	policyTooFar    // skip leaves out a unit more than the one in doubt
	lateDoubt       // the first unit after the recorded ones is not in doubt
	alwaysClear     // nothing was begun that is not known to be out
	tornIsWhole     // a page that was counted is whole
	keepsTaken      // what a device has taken it keeps, also when it ends the connection
	countsBack      // a counter never goes back
	lastRemote      // the last id of an attempt wins
	yieldsAnnounced // what was announced can be given back
	classForgets    // a device that is of another class has nothing on its way
	noRevoke        // a term changes no claim (R2 off)
	lastFirst       // the job that came last starts first
)

// What is not as the rules say, and which check must notice. The bounds are about the smallest in which it can be seen.
//
// Some are only seen by the check that is nearest to them: a fence that ignores the token, a log without R1, a device under two names.
// Epoch, attempt, close and R5 stand behind them, so that larger bounds may be needed before they spoil the paper.
var bugs = []struct {
	name  string
	bug   bug
	finds []string // any of them
	bounds
}{
	{"a device without a fence", noFence, []string{"inv 5", "inv 6"}, bounds{terms: 2, jobs: two, blind: true}},
	{"a fence that ignores the token", noToken, []string{"inv 4"}, bounds{terms: 2, jobs: two}},
	{"a mark without the attempt", noAttempt, []string{"inv 6", "inv 7"}, bounds{
		terms: 1, jobs: one, facts: commands{hold(1), release(1)},
	}},
	{"a mark without the copy", noCopy, []string{"inv 7"}, bounds{terms: 1, jobs: commands{submit(2, 2)}}},
	{"a fence that takes an earlier attempt", noOrder, []string{"R9"}, bounds{terms: 1, jobs: two, lost: 1, facts: commands{cancel(1)}}},
	{"a fence for attempts that begin with page 1", noFirst, []string{"inv 14"}, bounds{
		terms: 1, jobs: one, facts: commands{reprintFrom(1, 2)},
	}},
	{"a close that is not remembered", forgetsClose, []string{"R9"}, bounds{
		terms: 1, jobs: two, facts: commands{cancel(1)}, lost: 1,
	}},
	{"an epoch that outlives the mark", noEpoch, []string{"inv 6", "inv 7"}, bounds{terms: 2, jobs: two, wipes: 1}},
	{"decisions of an old leader taken for the new one's", noTag, []string{"inv 3"}, bounds{terms: 2, jobs: two}},
	{"a resume with a mark from before the open", oldMark, []string{"inv 15"}, bounds{terms: 2, jobs: two, returns: 1}},
	{"a driver that sends before its resume commits", hasty, []string{"inv"}, bounds{terms: 2, jobs: two, wipes: 1}},
	{"a driver that takes a lost page for printed", trusting, []string{"inv 6", "inv 7"}, bounds{terms: 1, jobs: two, lost: 1}},
	{"the same device twice in a pool", twoNames, []string{"inv 15"}, bounds{terms: 1, printers: alias, jobs: two}},
	{"one device in two printers", twoNames, []string{"inv 15"}, bounds{terms: 1, printers: shared, jobs: commands{submit(2, 1), submitTo("q", 2, 1)}}},
	{"a move at once", moveAtOnce, []string{"R9"}, bounds{terms: 1, printers: pair, jobs: one, facts: commands{move(1, "q")}}},
	{"a forced move without a close", noForcedClose, []string{"R9"}, bounds{
		terms: 1, printers: pair, jobs: two, facts: commands{force(1, "q"), submit(1, 1)},
	}},
	{"a job that recovers given to another device of the pool", unbound, []string{"inv 6"}, bounds{
		terms: 2, printers: pool, jobs: one, blind: true,
	}},
	{"a resolve that forgets what is to be closed", resolveCloses, []string{"R9"}, bounds{
		terms: 1, printers: pair, jobs: one, facts: commands{force(1, "q"), hold(1), resolveFrom(1, 1), move(1, "p")},
	}},
	{"a mark of another attempt taken for the one that goes on in the middle", anyMark, []string{"inv 6", "inv 7"}, bounds{
		terms: 2, jobs: commands{submit(3, 1)}, facts: commands{hold(1), resolveFrom(1, 2)},
	}},
	{"a resolved job that begins a page too early", resolveEarly, []string{"inv 6"}, bounds{
		terms: 1, jobs: one, facts: commands{hold(1), resolveFrom(1, 2)},
	}},
	{"what is in doubt printed again with what is not", policyFromStart, []string{"inv 6"}, bounds{
		terms: 1, printers: again, jobs: one, wipes: 1,
	}},
	{"a unit skipped that was not in doubt", policyTooFar, []string{"inv 6"}, bounds{
		terms: 1, printers: skips, jobs: commands{submit(3, 1)}, wipes: 1,
	}},
	{"a doubt that leaves out a page", lateDoubt, []string{"inv 8"}, bounds{terms: 1, jobs: one, wipes: 1}},
	{"the last job first", lastFirst, []string{"inv 9"}, bounds{terms: 1, jobs: two}},
	{"a decision with any token", anyToken, []string{"inv 15"}, bounds{terms: 1, jobs: two, doubled: 1, returns: 1}},
	{"a claim that is resumed twice", resumeTwice, []string{"inv 15"}, bounds{terms: 1, jobs: two, doubled: 1}},
	{"a done without its attempt", noDoneAttempt, []string{"inv 6", "inv 7"}, bounds{terms: 1, jobs: two, doubled: 1}},
	{"claims that outlive their term", noRevoke, []string{"inv 4"}, bounds{terms: 2, jobs: one}},
	// Devices without a fence.
	{"blind: no intent", noIntent, []string{"inv 8"}, bounds{terms: 1, printers: blind, jobs: one, exclusive: true}},
	{"blind: an intent after the page", intentLate, []string{"inv 8"}, bounds{terms: 1, printers: blind, jobs: one, exclusive: true}},
	{"blind: a page before its intent commits", intentHasty, []string{"inv 8"}, bounds{terms: 1, printers: blind, jobs: one, exclusive: true}},
	{"blind: a connection made anew after the intent", reconnects, []string{"inv 8", "inv 5"}, bounds{
		terms: 2, printers: of(queue.Blind, "reprint"), jobs: one, exclusive: true,
	}},
	{"blind: before is always clear", alwaysClear, []string{"inv 6", "inv 8"}, bounds{terms: 1, printers: blind, jobs: one, exclusive: true, lost: 1}},
	{"blind: decisions of an old leader", noTag, []string{"inv 3"}, bounds{terms: 2, printers: blind, jobs: one, exclusive: true}},
	{"blind: claims that outlive their term", noRevoke, []string{"inv 4"}, bounds{terms: 2, printers: blind, jobs: one, exclusive: true}},
	{"blind: a done without its attempt", noDoneAttempt, []string{"inv"}, bounds{terms: 1, printers: blind, jobs: two, exclusive: true, doubled: 1}},
	{"blind: a decision with any token", anyToken, []string{"inv"}, bounds{terms: 1, printers: blind, jobs: two, exclusive: true, doubled: 1, returns: 1}},
	{"blind: what was announced is given back", yieldsAnnounced, []string{"inv 8"}, bounds{terms: 1, printers: blind, jobs: one, exclusive: true}},
	{"blind, several at once, and pages not to be mixed", none, []string{"inv 5", "inv 6"}, bounds{
		terms: 2, printers: of(queue.Blind, "reprint"), jobs: one, lost: 1, unmixed: true,
	}},
	{"counted: a connection made anew after the intent", reconnects, []string{"inv"}, bounds{terms: 2, printers: counted, jobs: one, exclusive: true}},
	{"counted: a torn page is whole", tornIsWhole, []string{"inv 7", "inv 8"}, bounds{terms: 1, printers: counted, jobs: one, exclusive: true, lost: 1}},
	{"counted: what was taken is kept", keepsTaken, []string{"inv 7", "inv 8"}, bounds{terms: 1, printers: counted, jobs: one, exclusive: true, lost: 1}},
	{"counted: a counter never goes back", countsBack, []string{"inv"}, bounds{terms: 1, printers: counted, jobs: two, exclusive: true, lost: 1, wipes: 1}},
	{"counted: what another class had on its way", classForgets, []string{"inv 6", "inv 8"}, bounds{
		terms: 2, printers: counted, jobs: one, exclusive: true, lost: 1, turns: 1,
	}},
	{"counted, several at once: not exact, and not promised", none, []string{"inv"}, bounds{terms: 2, printers: counted, jobs: two, lost: 1}},
	{"whole-job: one step", oneStep, []string{"R4"}, bounds{terms: 1, printers: whole, jobs: one}},
	{"whole-job: the last id wins", lastRemote, []string{"R4"}, bounds{terms: 1, printers: whole, jobs: one}},
	{"whole-job: a document before its id commits", documentEarly, []string{"R4"}, bounds{terms: 1, printers: whole, jobs: one}},
	{"whole-job: what is forgotten goes there again", resubmits, []string{"inv 8", "inv 6"}, bounds{terms: 1, printers: whole, jobs: one, wipes: 1}},
}

// A search that finds nothing is worth something only if it finds these.
func TestBugsAreFound(t *testing.T) {
	for _, b := range bugs {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			b.states = 200_000
			r := newModel(b.bounds, b.bug).search()
			t.Logf("%s: %v: %s", b.name, r, r.fault)
			for _, line := range r.trace {
				t.Log("  ", line)
			}
			if r.stuck > 0 {
				r.fault = "inv 14"
			}
			for _, want := range b.finds {
				if strings.HasPrefix(r.fault, want) {
					return
				}
			}
			t.Errorf("found %q, want one of %q", r.fault, b.finds)
		})
	}
}
