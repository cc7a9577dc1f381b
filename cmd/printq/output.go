package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"printq/http/api"
)

// show writes a list as the flag says: a table, one JSON array, or one JSON object per line.
func show[T any](a *app, list []T, header string, row func(*T) []any) error {
	switch a.flags.output {
	case "json":
		if list == nil {
			list = []T{}
		}
		return writeJSON(a.stdout, list)
	case "ndjson":
		e := json.NewEncoder(a.stdout)
		e.SetEscapeHTML(false)
		for i := range list {
			if err := e.Encode(list[i]); err != nil {
				return err
			}
		}
		return nil
	}
	w := tabwriter.NewWriter(a.stdout, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, strings.ReplaceAll(header, " ", "\t"))
	for i := range list {
		for j, cell := range row(&list[i]) {
			if j > 0 {
				fmt.Fprint(w, "\t")
			}
			fmt.Fprint(w, cell)
		}
		fmt.Fprintln(w)
	}
	return w.Flush()
}

// showOne writes one value: as facts, or as JSON.
func showOne(a *app, v any, facts func(w io.Writer)) error {
	switch a.flags.output {
	case "json":
		return writeJSON(a.stdout, v)
	case "ndjson":
		return json.NewEncoder(a.stdout).Encode(v)
	}
	w := tabwriter.NewWriter(a.stdout, 0, 8, 2, ' ', 0)
	facts(w)
	return w.Flush()
}

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// fact writes a line that showOne aligns; nothing where there is nothing to say.
func fact(w io.Writer, name string, value any) {
	if text := fmt.Sprint(value); text != "" {
		fmt.Fprintf(w, "%s\t%s\n", name, text)
	}
}

const jobHeader = "ID PRINTER STATE PRINTED COPIES PRIORITY USER NAME WHY"

func jobRow(j *api.Job) []any {
	return []any{j.ID, j.Printer, j.State, printed(j), j.Copies, j.Priority, dash(j.User), dash(j.Name), dash(why(j))}
}

func showJobs(a *app, jobs []api.Job) error { return show(a, jobs, jobHeader, jobRow) }

// printed is how many units are out, and of how many.
func printed(j *api.Job) string {
	return strconv.FormatUint(uint64(j.Printed), 10) + "/" + strconv.FormatUint(units(j), 10)
}

func units(j *api.Job) uint64 { return uint64(j.Units) * uint64(j.Copies) }

func why(j *api.Job) string {
	if j.Waits != "" {
		return j.Waits
	}
	return j.Reason
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// doubtful says what nobody knows, and what to do about it.
func doubtful(j *api.Job, d *api.Doubt) string {
	text := fmt.Sprintf("copy %d, page %d", d.Copy, d.From)
	if d.To != d.From {
		text = fmt.Sprintf("copy %d, pages %d to %d", d.Copy, d.From, d.To)
	}
	if j.Units == 1 {
		text = fmt.Sprintf("copy %d", d.Copy)
	}
	if d.Last > (d.Copy-1)*j.Units+d.To {
		text += ", and what comes after it"
	}
	if d.Why != "" {
		text += " (" + d.Why + ")"
	}
	if !api.Ended(j.State) && j.State == "held" {
		return text + fmt.Sprintf(": look at the paper, then printq job resolve %d --help", j.ID)
	}
	return text + ": may be doubled or missing"
}

func showJob(a *app, j *api.Job) error {
	return showOne(a, j, func(w io.Writer) {
		fact(w, "job", j.ID)
		fact(w, "printer", j.Printer)
		fact(w, "state", j.State)
		fact(w, "reason", j.Reason)
		fact(w, "waits", j.Waits)
		fact(w, "name", j.Name)
		fact(w, "user", j.User)
		fact(w, "document", fmt.Sprintf("%s, %d bytes, sha256 %s", dash(j.Format), j.Bytes, j.SHA256))
		fact(w, "printed", fmt.Sprintf("%s units, %d copies of %d pages", printed(j), j.Copies, j.Pages))
		for _, name := range slices.Sorted(maps.Keys(j.Options)) {
			fact(w, "option", name+"="+j.Options[name])
		}
		fact(w, "priority", j.Priority)
		if j.Of != 0 {
			fact(w, "reprint of", j.Of)
		}
		fact(w, "submitted", fmt.Sprintf("%s, index %d, term %d", j.Submitted.Time.Format("2006-01-02 15:04:05Z07:00"), j.Submitted.Index, j.Submitted.Term))
		if d := j.InDoubt; d != nil {
			fact(w, "in doubt", doubtful(j, d))
		}
		for _, at := range j.Attempts {
			fact(w, "attempt", fmt.Sprintf("%d on device %d from %d: %d printed, %s", at.Number, at.Device, at.From, at.Printed, dash(at.Outcome)))
		}
	})
}
