package ipp

import (
	"context"
	"fmt"
	"strconv"

	"github.com/OpenPrinting/goipp"

	"printq/printer/device"
)

// Create finds the job by its Title at the printer, or makes it there.
func (p *Printer) Create(ctx context.Context, j device.Job) (string, error) {
	defer p.hangUp()
	a, err := p.introduced(ctx)
	if err != nil {
		return "", err
	}
	copies, _ := left(j)
	if err := a.takes(j.Format); err != nil {
		return "", err
	}
	if err := a.enough(copies); err != nil {
		return "", err
	}
	c, err := p.connect()
	if err != nil {
		return "", err
	}
	if id, err := c.find(ctx, j.Title()); id != 0 || err != nil {
		return number(id), err
	}
	id, err := c.create(ctx, a, j, copies)
	if err != nil {
		return "", err
	}
	p.last = memory{id: number(id), title: j.Title(), fresh: true}
	return number(id), c.named(ctx, id, j.Title())
}

func number(id int) string {
	if id == 0 {
		return ""
	}
	return strconv.Itoa(id)
}

// left is how many copies are left of a document, and how many units that document has: from the middle of a copy on, the
// rest is one document.
func left(j device.Job) (copies, units int) {
	if j.Units < 1 {
		return 1, 1
	}
	if j.Start%j.Units == 0 {
		return j.Copies - j.Start/j.Units, j.Units
	}
	return 1, j.Total() - j.Start
}

// find is the job of that name; 0: there is none. One that ended without a document was made and not used, and is passed over.
func (c *client) find(ctx context.Context, title string) (int, error) {
	open, err := c.jobs(ctx, "not-completed", 1000)
	if err != nil {
		return 0, err
	}
	for _, s := range open {
		if s.name == title {
			return s.id, nil
		}
	}
	ended, err := c.jobs(ctx, "completed", 200)
	if err != nil && answered(err) == 0 {
		return 0, err
	} // where the printer shows no history, none of it is ours: a job is used only once its id is committed
	for _, s := range ended {
		if s.name == title && (s.state == completed || s.touched()) {
			return s.id, nil
		}
	}
	return 0, nil
}

func (c *client) jobs(ctx context.Context, which string, limit int) ([]*standing, error) {
	m, err := c.ask(ctx, request{op: goipp.OpGetJobs, operation: goipp.Attributes{
		user(), integer("limit", limit), keywords("which-jobs", which), keywords("requested-attributes", looked...),
	}})
	if err != nil {
		return nil, err
	}
	var found []*standing
	for _, g := range m.AttrGroups() {
		if g.Tag == goipp.TagJobGroup {
			found = append(found, stands(group(g.Attrs)))
		}
	}
	return found, nil
}

func (c *client) create(ctx context.Context, a *about, j device.Job, copies int) (int, error) {
	m, err := c.do(ctx, request{op: goipp.OpCreateJob, once: true, operation: goipp.Attributes{
		user(), name("job-name", j.Title()), boolean("ipp-attribute-fidelity", false),
	}, job: a.template(j, copies)}, nil)
	if err != nil {
		return 0, err
	}
	id, ok := group(m.Job).number("job-id")
	if !ok || id < 1 {
		return 0, fmt.Errorf("%w: Create-Job: the printer does not say the job's id", device.ErrUnclear)
	}
	return id, nil
}

// named makes sure that the printer keeps names: by another name the job could not be found again. One that has another is
// canceled.
func (c *client) named(ctx context.Context, id int, title string) error {
	s, err := c.look(ctx, id)
	if err != nil {
		return err
	}
	if s.name == title {
		return nil
	}
	_ = c.cancel(ctx, id) // it has no document, so it prints nothing in any case
	return fmt.Errorf("the printer calls the job %q, not %q, and so it could not be found again: add ?class=blind to its URI",
		s.name, title)
}
