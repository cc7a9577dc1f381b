//go:build !unix

package integration

import "testing"

func (p *process) pause(t *testing.T) { t.Skip("no process can be paused on this system") }

func (p *process) wake() {}
