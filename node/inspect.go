package node

import "printq/queue"

// What a simulation reads of a member, in the loop: it is as of what the member has applied. Node's queries answer the same.

// Job is a job; nil: there is none.
func (c *Core) Job(id uint64) (*queue.Job, error) { return c.queue.Job(id, view{c}) }

// Printer is a printer; nil: there is none of that name.
func (c *Core) Printer(name string) *queue.Printer { return c.queue.Printer(name) }

// Alarms are what this member has to say about itself.
func (c *Core) Alarms() []string { return c.texts() }
