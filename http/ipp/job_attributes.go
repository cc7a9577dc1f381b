package ipp

import (
	"strconv"
	"strings"
	"time"

	"github.com/OpenPrinting/goipp"

	"printq/node"
	"printq/printer/pages"
	"printq/queue"
)

// impressions are a job's: of one copy, and those that are out, over all copies. Both are 0 where nobody could count.
func impressions(j *queue.Job) (each, out int) {
	if j.Pages == 0 {
		return 0, 0
	}
	// A unit is a page, or the whole document.
	return int(j.Pages), int(uint64(j.Printed) * uint64(j.Pages) / uint64(max(j.Units, 1)))
}

// reasonsOf are a job's reasons as keywords.
func reasonsOf(j *queue.Job) (reasons []string) {
	if reason := keyword(j.Reason); reason != "" {
		reasons = append(reasons, reason)
	}
	if j.Stopping != 0 && j.Reason != "processing-to-stop-point" {
		reasons = append(reasons, "processing-to-stop-point")
	}
	if queue.JobState(j.State) == queue.Aborted {
		reasons = append(reasons, "aborted-by-system")
	}
	if reasons == nil {
		reasons = []string{"none"}
	}
	return reasons
}

func (h *Handler) jobAttributes(b base, j *node.JobStatus) *list {
	hold := "no-hold"
	if queue.JobState(j.State) == queue.Held {
		hold = "indefinite"
	}
	l := &list{template: []goipp.Attribute{
		integers("copies", int(max(j.Copies, 1))), integers("job-priority", int(j.Priority)), keywords("job-hold-until", hold),
	}}
	l.template = append(l.template, wished(j.Options)...)
	if ranges := parseRanges(j.PageRanges); ranges != nil && find(l.template, "page-ranges") == nil {
		l.template = append(l.template, ranges.attribute())
	}
	l.description = append(append(h.jobState(b, j), jobTimes(j)...), jobSizes(j)...)
	return l
}

// jobState is who the job is and where it stands.
func (h *Handler) jobState(b base, j *node.JobStatus) []goipp.Attribute {
	format := j.Format
	if format == "" {
		format = pages.OctetStream
	}
	id := strconv.FormatUint(j.Id, 10)
	return []goipp.Attribute{
		integers("job-id", int(j.Id)), uris("job-uri", b.job(j.Id)), uris("job-printer-uri", b.printer(j.Printer)),
		uris("job-uuid", uuid(h.clusterID(), "job", id)), uris("job-more-info", b.uri("http", "v1", "jobs", id)),
		names("job-name", j.Name), names("job-originating-user-name", j.User),
		enums("job-state", int(j.State)), keywords("job-state-reasons", reasonsOf(j.Job)...), texts("job-state-message", printable(j.Waits)),
		types("document-format", format), integers("number-of-documents", documentsOf(j.Job)),
	}
}

// documentsOf is how many documents a job has.
func documentsOf(j *queue.Job) int {
	if j.Bytes == 0 {
		return 0
	}
	return 1 + len(j.Parts)
}

// jobTimes are the times that are recorded.
func jobTimes(j *node.JobStatus) []goipp.Attribute {
	attrs := []goipp.Attribute{
		integers("job-printer-up-time", upTime(time.Now())),
	}
	for _, t := range []struct {
		event string
		nanos int64
	}{{"creation", j.Submitted.GetTime()}, {"processing", j.Began}, {"completed", j.Ended}} {
		if t.nanos == 0 {
			attrs = append(attrs, missing("time-at-"+t.event, goipp.TagNoValue), missing("date-time-at-"+t.event, goipp.TagNoValue))
			continue
		}
		at := time.Unix(0, t.nanos)
		attrs = append(attrs, integers("time-at-"+t.event, upTime(at)), dateTime("date-time-at-"+t.event, at))
	}
	return attrs
}

func jobSizes(j *node.JobStatus) []goipp.Attribute {
	attrs := []goipp.Attribute{integers("job-k-octets", int((j.Bytes+1023)/1024))}
	each, out := impressions(j.Job)
	if each == 0 {
		return append(attrs, missing("job-impressions", goipp.TagNoValue), missing("job-impressions-completed", goipp.TagNoValue),
			missing("job-media-sheets", goipp.TagNoValue), missing("job-media-sheets-completed", goipp.TagNoValue))
	}
	return append(attrs, integers("job-impressions", each), integers("job-impressions-completed", out),
		integers("job-media-sheets", sheets(j.Job, each)), integers("job-media-sheets-completed", out/each*sheets(j.Job, each)+sheets(j.Job, out%each)))
}

// sheets are as many as a copy's impressions need.
func sheets(j *queue.Job, impressions int) int {
	if strings.HasPrefix(queue.Wish(j.Options, "sides"), "two-sided") {
		return (impressions + 1) / 2
	}
	return impressions
}
