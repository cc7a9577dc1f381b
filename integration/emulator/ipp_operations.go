package emulator

import (
	"slices"
	"strconv"
	"strings"

	"github.com/OpenPrinting/goipp"
)

// jobReply is the answer of an operation that made or fed a job (RFC 8011 §4.2.1.2).
func (p *IPP) jobReply(q *ippRequest, status goipp.Status, j *ippJob, unsupported goipp.Attributes) *goipp.Message {
	var groups []goipp.Group
	if len(unsupported) > 0 {
		groups = append(groups, goipp.Group{Tag: goipp.TagUnsupportedGroup, Attrs: unsupported})
	}
	if j != nil {
		attrs := goipp.Attributes{
			uris("job-uri", p.jobURI(j)), integer("job-id", j.id), p.jobState(j), p.jobReasons(j),
		}
		groups = append(groups, goipp.Group{Tag: goipp.TagJobGroup, Attrs: attrs})
	}
	return q.answer(status, groups...)
}

func (p *IPP) validate(q *ippRequest) *goipp.Message {
	_, unsupported, status := p.accept(q)
	return p.jobReply(q, status, nil, unsupported)
}

func (p *IPP) create(q *ippRequest) *goipp.Message {
	j, unsupported, status := p.accept(q)
	if j != nil {
		p.add(j)
	}
	return p.jobReply(q, status, j, unsupported)
}

func (p *IPP) printDocument(q *ippRequest) *goipp.Message {
	j, unsupported, status := p.accept(q)
	if j != nil {
		p.add(j)
		p.load(j, q)
	}
	return p.jobReply(q, status, j, unsupported)
}

// send is Send-Document (RFC 8011 §4.3.1). One document makes a job; an empty last one ends a job without any.
func (p *IPP) send(q *ippRequest) *goipp.Message {
	j := p.job(q)
	switch {
	case j == nil:
		return q.answer(goipp.StatusErrorNotFound)
	case len(q.find(q.Operation, "last-document")) == 0:
		return q.answer(goipp.StatusErrorBadRequest)
	case j.state != held:
		if j.documents > 0 && !j.state.ended() {
			return q.answer(goipp.StatusErrorMultipleJobsNotSupported)
		}
		return q.answer(goipp.StatusErrorNotPossible)
	}
	last := q.truth("last-document")
	if q.octets == 0 && q.broken == nil {
		if last {
			p.end(j, aborted, "job-data-insufficient")
		}
		return p.jobReply(q, goipp.StatusOk, j, nil)
	}
	if status := p.format(q, j); status != goipp.StatusOk {
		return q.answer(status)
	}
	if !last {
		return q.answer(goipp.StatusErrorMultipleJobsNotSupported)
	}
	p.load(j, q)
	return p.jobReply(q, goipp.StatusOk, j, nil)
}

// job is the one that the request is about: by job-uri, or by printer-uri and job-id.
func (p *IPP) job(q *ippRequest) *ippJob {
	id := q.number(q.Operation, "job-id", 0)
	if uri := q.text("job-uri"); uri != "" {
		id, _ = strconv.Atoi(uri[strings.LastIndex(uri, "/")+1:])
	}
	for _, j := range p.jobList {
		if j.id == id {
			return j
		}
	}
	return nil
}

// cancel is Cancel-Job: the sheet on its way lands.
func (p *IPP) cancel(q *ippRequest) *goipp.Message {
	j := p.job(q)
	switch {
	case j == nil:
		return q.answer(goipp.StatusErrorNotFound)
	case j.state.ended() || j.canceled:
		return q.answer(goipp.StatusErrorNotPossible)
	case j.state == processing:
		j.canceled = true
		p.cond.Broadcast()
	default:
		p.end(j, canceled, "job-canceled-by-user")
	}
	return q.answer(goipp.StatusOk)
}

func (p *IPP) getJob(q *ippRequest) *goipp.Message {
	j := p.job(q)
	if j == nil {
		return q.answer(goipp.StatusErrorNotFound)
	}
	attrs := q.wanted(p.jobAttributes(j), "job-description", []string{"all"})
	return q.answer(goipp.StatusOk, goipp.Group{Tag: goipp.TagJobGroup, Attrs: attrs})
}

// getJobs is Get-Jobs (RFC 8011 §4.2.6): those that ended, the last first; those that have not, in the order of printing.
func (p *IPP) getJobs(q *ippRequest) *goipp.Message {
	which := q.text("which-jobs")
	var jobs []*ippJob
	for _, j := range p.jobList {
		mine := !q.truth("my-jobs") || j.user == q.text("requesting-user-name")
		if mine && (which == "all" || j.state.ended() == (which == "completed")) {
			jobs = append(jobs, j)
		}
	}
	switch which {
	case "", "not-completed", "all":
	case "completed":
		slices.SortStableFunc(jobs, func(a, b *ippJob) int { return b.finish.Compare(a.finish) })
	default:
		unsupported := goipp.Group{Tag: goipp.TagUnsupportedGroup}
		unsupported.Add(keywords("which-jobs", which))
		return q.answer(goipp.StatusErrorAttributesOrValues, unsupported)
	}
	var groups []goipp.Group
	limit := max(q.number(q.Operation, "limit", len(jobs)), 0)
	for _, j := range jobs[:min(len(jobs), limit)] {
		attrs := q.wanted(p.jobAttributes(j), "job-description", []string{"job-uri", "job-id"})
		groups = append(groups, goipp.Group{Tag: goipp.TagJobGroup, Attrs: attrs})
	}
	return q.answer(goipp.StatusOk, groups...)
}

func (p *IPP) getPrinter(q *ippRequest) *goipp.Message {
	attrs := q.wanted(p.printerAttributes(), "printer-description", []string{"all"})
	return q.answer(goipp.StatusOk, goipp.Group{Tag: goipp.TagPrinterGroup, Attrs: attrs})
}

// wanted are the attributes that requested-attributes names, itself or by their group.
func (q *ippRequest) wanted(all goipp.Attributes, description string, otherwise []string) (out goipp.Attributes) {
	var names []string
	for _, v := range q.find(q.Operation, "requested-attributes") {
		names = append(names, v.V.String())
	}
	if names == nil {
		names = otherwise
	}
	for _, a := range all {
		group := description
		if isTemplate(a.Name) {
			group = "job-template"
		}
		if slices.Contains(names, "all") || slices.Contains(names, group) || slices.Contains(names, a.Name) {
			out.Add(a)
		}
	}
	return out
}

var templates = []string{
	"copies", "sides", "media", "media-col", "printer-resolution", "print-color-mode", "finishings", "orientation-requested",
	"print-quality", "output-bin",
}

// isTemplate: the attribute belongs to a job template one (RFC 8011 §5.2).
func isTemplate(name string) bool {
	base, _, _ := strings.Cut(name, "-default")
	base, _, _ = strings.Cut(base, "-supported")
	base, _, _ = strings.Cut(base, "-ready")
	return slices.Contains(templates, base)
}
