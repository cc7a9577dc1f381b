package queue

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"

	"printq/queue/queuepb"
)

// The lines of the committed job log, cluster version 1. All begin with seq, index, term, time, type, then printer and job
// where they are about one, and end with hash. A field in brackets is left out where it is empty. What is in doubt has copy, from, to and, where
// it is not all that follows, last, which counts over all copies; and why.
//
//	submit           state [reason name user] format bytes sha256 pages units copies priority [ttl_ns key]
//	reprint          as submit, then of from (its first page) [by why]
//	create           state reason [name user] copies priority [hold ttl_ns page_ranges options key]
//	attach           state [reason] format bytes sha256 pages units [duplicate_of options]: the document of a created job
//	part             as submit, then part_of: a further document of a created job, as a job
//	close            state reason [by why]: of a created job that takes no further document
//	seen             jobs: whose clients have the answer to the attach
//	cancel hold release   state [stopping by why]
//	job-reordered    priority [after by why]
//	job-set          state [name copies priority options hold by why]: what changed
//	move             to state [stopping force doubt by why]
//	resolve          state printed [by why]
//	printer-set      devices (id and uri each) [in_doubt pool ttl_ns keep_ns retention_ns offers by why]
//	printer-removed printer-paused printer-resumed printer-adopted   [by why]
//	printer-accepting printer-rejecting default-set   [by why]
//	new-jobs-held new-jobs-released   [jobs by why]: jobs that were released
//	printer-described     [info location geo_location organization organizational_unit media message by why]: what was set
//	subscribed subscription-renewed unsubscribed   subscription [user lease_ns]
//	member-set       member http peer
//	term             revoked (claims), recovering (jobs)
//	claim            device token
//	resume           device token identity epoch [attempt outcome printed state doubt closing]
//	stopped          device token reason: a resume that was refused
//	                 outcome: begin, continue, completed, stopped, in-doubt, attempt-closed
//	start            device token attempt from (units before its first): the choice (R4)
//	printed          device attempt printed (units out, over all copies)
//	done             device attempt printed outcome state
//	doubt            device attempt printed state doubt: the device has forgotten a job that it kept
//	closed           device attempt
//	report           device [reason detail]
//	expire           one per job aborted, with state and reason; then one with [uploads documents finished keys sessions
//	                 subscriptions], documents and finished being job ids, subscriptions their ids, the others numbers
//	checkpoint       digest
//	version          version
//	void             what why [device]: a decision that R1 or R5 voids, or a command not understood
const timeFormat = "2006-01-02T15:04:05.000000Z"

const hashField = `,"hash":"`

// begin opens a line. The fields follow, then end.
func (t *turn) begin(kind, printer string, job uint64) {
	if len(t.stamp) == 0 {
		t.stamp = append(t.stamp, `,"index":`...)
		t.stamp = strconv.AppendUint(t.stamp, t.entry.Index, 10)
		t.stamp = append(t.stamp, `,"term":`...)
		t.stamp = strconv.AppendUint(t.stamp, t.entry.Term, 10)
		t.stamp = append(t.stamp, `,"time":"`...)
		t.stamp = time.Unix(0, t.time).UTC().AppendFormat(t.stamp, timeFormat)
		t.stamp = append(t.stamp, `","type":"`...)
	}
	t.seq++
	t.line = Line{Seq: t.seq, Job: job, Printer: printer}
	b := append(t.scratch[:0], t.chain[:]...)
	b = append(b, `{"seq":`...)
	b = strconv.AppendUint(b, t.seq, 10)
	b = append(b, t.stamp...)
	b = append(b, kind...)
	t.scratch = append(b, '"')
	t.str("printer", printer)
	t.opt("job", job)
}

// end closes the line, and chains it.
func (t *turn) end() {
	b := append(t.scratch, '}')
	sum := sha256.Sum256(b)
	hex.Encode(t.chain[:], sum[:])
	start := len(t.text)
	t.text = append(t.text, b[len(t.chain):len(b)-1]...)
	t.text = append(t.text, hashField...)
	t.text = append(t.text, t.chain[:]...)
	t.text = append(t.text, `"}`...)
	t.line.JSON = t.text[start:] // until handOver
	t.result.Lines = append(t.result.Lines, t.line)
	t.scratch = b
}

// handOver gives the lines away: out of the state's own buffer, into one that is just as large.
func (t *turn) handOver() {
	text := bytes.Clone(t.text)
	for i := range t.result.Lines {
		line := &t.result.Lines[i].JSON
		*line, text = text[:len(*line):len(*line)], text[len(*line):]
	}
}

func (t *turn) field(name string) {
	b := append(t.scratch, ',', '"')
	b = append(b, name...)
	t.scratch = append(b, '"', ':')
}

// str adds a text, unless it is empty.
func (t *turn) str(name, value string) {
	if value != "" {
		t.field(name)
		t.scratch = appendString(t.scratch, value)
	}
}

// num adds a number.
func (t *turn) num(name string, value uint64) {
	t.field(name)
	t.scratch = strconv.AppendUint(t.scratch, value, 10)
}

// opt adds a number, unless it is zero.
func (t *turn) opt(name string, value uint64) {
	if value != 0 {
		t.num(name, value)
	}
}

func (t *turn) flag(name string, value bool) {
	t.field(name)
	t.scratch = strconv.AppendBool(t.scratch, value)
}

func (t *turn) hex(name string, value []byte) {
	t.field(name)
	b := append(t.scratch, '"')
	b = hex.AppendEncode(b, value)
	t.scratch = append(b, '"')
}

func (t *turn) token(k Token) {
	t.field("token")
	b := append(t.scratch, '[')
	b = strconv.AppendUint(b, k.Term, 10)
	b = append(b, ',')
	b = strconv.AppendUint(b, k.Index, 10)
	t.scratch = append(b, ']')
}

// ids adds a list of numbers, unless it is empty.
func (t *turn) ids(name string, list []uint64) {
	if len(list) == 0 {
		return
	}
	t.field(name)
	b := append(t.scratch, '[')
	for i, n := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendUint(b, n, 10)
	}
	t.scratch = append(b, ']')
}

// options adds wishes or offers by name, unless there are none.
func (t *turn) options(name string, list []*queuepb.Option) {
	if len(list) == 0 {
		return
	}
	t.field(name)
	b := t.scratch
	for i, o := range list {
		b = append(b, "{,"[min(i, 1)])
		b = append(appendString(b, o.Name), ':')
		b = appendString(b, o.Value)
	}
	t.scratch = append(b, '}')
}

type cause interface {
	GetBy() string
	GetWhy() string
}

func (t *turn) cause(c cause) {
	t.str("by", c.GetBy())
	t.str("why", c.GetWhy())
}

const hexDigits = "0123456789abcdef"

// appendString writes s as JSON: what is not UTF-8 becomes U+FFFD, and nothing else is escaped but what must be.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if c >= utf8.RuneSelf && (r != utf8.RuneError || size > 1) {
			i += size
			continue
		}
		b = append(b, s[start:i]...)
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < ' ':
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		default:
			b = append(b, "\uFFFD"...)
		}
		i += size
		start = i
	}
	b = append(b, s[start:]...)
	return append(b, '"')
}

var errLine = errors.New("line does not verify")

// VerifyLine checks a line, without its newline, against the hash of the one before it (64 zeros before the first), and
// gives the line's own.
func VerifyLine(prevHash string, line []byte) (hash string, err error) {
	i := bytes.LastIndex(line, []byte(hashField))
	if i < 0 || len(line) != i+len(hashField)+64+2 || string(line[len(line)-2:]) != `"}` {
		return "", fmt.Errorf("%w: hash is not its last field", errLine)
	}
	text := append([]byte(prevHash), line[:i]...)
	sum := sha256.Sum256(append(text, '}'))
	hash = hex.EncodeToString(sum[:])
	if said := string(line[i+len(hashField) : len(line)-2]); said != hash {
		return "", fmt.Errorf("%w: it says hash %s, and comes to %s after %s", errLine, said, hash, prevHash)
	}
	return hash, nil
}
