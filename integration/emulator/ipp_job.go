package emulator

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/OpenPrinting/goipp"
)

// A state is job-state (RFC 8011 §5.3.7).
type state int

const (
	pending    state = 3
	held       state = 4
	processing state = 5
	stopped    state = 6
	canceled   state = 7
	aborted    state = 8
	completed  state = 9
)

func (s state) ended() bool { return s >= canceled }

// An ippJob is what the printer remembers of a job. Guarded by the engine's mu.
type ippJob struct {
	id                         int
	uuid, name, user, format   string
	copies                     int
	duplex                     bool
	state                      state
	reasons                    []string
	documents, octets          int
	pages                      []Page // of one copy
	partial                    bool   // the document broke off
	canceled                   bool
	impressions, sheets        int // on paper
	created, processed, finish time.Time
}

// accept makes a job of a request, or says why not. What the printer does not support of it is in unsupported.
func (p *IPP) accept(q *ippRequest) (j *ippJob, unsupported goipp.Attributes, status goipp.Status) {
	j = &ippJob{
		uuid: newUUID(), name: q.text("job-name"), user: q.text("requesting-user-name"),
		copies: q.number(q.Job, "copies", 1), state: held, reasons: []string{"job-incoming", "job-data-insufficient"},
		created: time.Now(),
	}
	if j.name == "" {
		j.name = "untitled"
	}
	if j.user == "" {
		j.user = "anonymous"
	}
	if status := p.format(q, j); status != goipp.StatusOk {
		return nil, nil, status
	}
	if j.copies < 1 || j.copies > maxCopies {
		unsupported.Add(integer("copies", j.copies))
		j.copies = 1
	}
	if v := q.find(q.Job, "sides"); len(v) > 0 {
		sides := v[0].V.String()
		if !slices.Contains(sidesSupported, sides) {
			unsupported.Add(keywords("sides", sides))
		}
		j.duplex = strings.HasPrefix(sides, "two-sided-")
	}
	switch {
	case len(unsupported) == 0:
		return j, nil, goipp.StatusOk
	case q.truth("ipp-attribute-fidelity"):
		return nil, unsupported, goipp.StatusErrorAttributesOrValues
	}
	return j, unsupported, goipp.StatusOkIgnoredOrSubstituted
}

// format takes document-format over, where the printer supports it.
func (p *IPP) format(q *ippRequest, j *ippJob) goipp.Status {
	format := p.formatOf(q)
	if !slices.Contains(p.options.Formats, format) || p.barred[format] {
		return goipp.StatusErrorDocumentFormatNotSupported
	}
	if c := q.text("compression"); c != "" && c != "none" {
		return goipp.StatusErrorCompressionNotSupported
	}
	j.format = format
	return goipp.StatusOk
}

func (p *IPP) formatOf(q *ippRequest) string {
	if format := q.text("document-format"); format != "" {
		return format
	}
	return p.options.Formats[0]
}

// add gives the job its id and takes it into the list.
func (p *IPP) add(j *ippJob) {
	p.lastID++
	j.id = p.lastID
	p.jobList = append(p.jobList, j)
}

// languages of a format's splitter; others are sensed.
var languages = map[string]string{
	"text/plain": "PCL", "image/pwg-raster": "PWG", "application/vnd.zebra-zpl": "ZPL",
	"application/pdf": "PDF", "application/postscript": "POSTSCRIPT",
}

// read reads the document that follows a request, and finds its pages as it comes.
func (p *IPP) read(q *ippRequest, body io.Reader) {
	split := newSplitter(languages[p.formatOf(q)], p.options.OtherPages, p.options.SkipsBlankRest)
	add := func(data []byte) { q.pages = append(q.pages, p.page(data)) }
	buffer, n := make([]byte, 64<<10), 0
	var err error
	for err == nil {
		n, err = body.Read(buffer)
		for _, b := range buffer[:n] {
			split.write(b, add)
		}
		q.octets += n
	}
	split.rest(add)
	if !errors.Is(err, io.EOF) {
		q.broken = err
	}
}

// load gives the job its document and lets it print.
func (p *IPP) load(j *ippJob, q *ippRequest) {
	j.documents++
	j.octets += q.octets
	j.partial = q.broken != nil
	if j.partial && !p.options.PrintsPartial {
		p.end(j, aborted, "submission-interrupted")
		return
	}
	j.pages = q.pages
	j.state, j.reasons = pending, []string{"none"}
	p.cond.Broadcast()
}

// end ends a job and forgets those that the history has no room for.
func (p *IPP) end(j *ippJob, s state, reason string) {
	j.state, j.reasons, j.finish, j.pages = s, []string{reason}, time.Now(), nil
	ended := 0
	for i := len(p.jobList) - 1; i >= 0; i-- {
		if !p.jobList[i].state.ended() {
			continue
		}
		if ended++; ended > max(p.options.History, 0) {
			p.jobList = slices.Delete(p.jobList, i, i+1)
		}
	}
	p.cond.Broadcast()
}

// expire aborts jobs whose document did not come in time (RFC 8011 §5.4.31).
func (p *IPP) expire() {
	for _, j := range slices.Clone(p.jobList) {
		if j.state == held && time.Since(j.created) > p.options.OpenTime {
			p.end(j, aborted, "submission-interrupted")
		}
	}
}

// A JobView is what a printer's own panel shows of a job.
type JobView struct {
	ID, Impressions int
	Name, User      string
	State           string
}

// Jobs are the jobs that the printer remembers, by id.
func (p *IPP) Jobs() []JobView {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.views()
}

// WaitJobs returns the jobs when they are as the function says, or else the context's error. The function must not use the
// printer.
func (p *IPP) WaitJobs(ctx context.Context, enough func([]JobView) bool) ([]JobView, error) {
	defer context.AfterFunc(ctx, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.cond.Broadcast()
	})()
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		jobs := p.views()
		if enough(jobs) {
			return jobs, nil
		}
		if err := ctx.Err(); err != nil {
			return jobs, err
		}
		p.cond.Wait()
	}
}

func (p *IPP) views() (views []JobView) {
	for _, j := range p.jobList {
		views = append(views, JobView{j.id, j.impressions, j.name, j.user, j.stateName()})
	}
	return views
}

func (j *ippJob) stateName() string {
	names := []string{"pending", "pending-held", "processing", "processing-stopped", "canceled", "aborted", "completed"}
	return names[j.state-pending]
}

func (p *IPP) jobURI(j *ippJob) string { return fmt.Sprintf("%s/%d", p.uri(), j.id) }
