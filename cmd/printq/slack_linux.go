package main

import (
	"os"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// timerSlack is how much later than it asked for a thread of a member's may be woken (prctl(2), PR_SET_TIMERSLACK; the kernel's default is
// 50 us). Go's watcher thread (sysmon) asks to be woken every 20 us as long as threads come back from syncs, and took 11 to 25 % of
// a busy member's time. What it is for, taking the processor from a thread that is in a long sync, can wait so long;
// so can all of a member's timers.
const timerSlack = time.Millisecond

// slackSet in the environment says that the program was begun anew.
const slackSet = "PRINTQ_TIMER_SLACK_SET"

// loosenTimers begins the program anew with timerSlack, as the same process: a thread has the slack of the one that made it, and Go has made
// its watcher before main. Where that is not permitted, the program goes on as it is.
func loosenTimers() {
	if os.Getenv(slackSet) != "" {
		_ = os.Unsetenv(slackSet) // it has a name, so it can be unset
		return
	}
	program, err := os.Executable()
	if err != nil {
		return
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if unix.Prctl(unix.PR_SET_TIMERSLACK, uintptr(timerSlack.Nanoseconds()), 0, 0, 0) != nil {
		return
	}
	_ = syscall.Exec(program, os.Args, append(os.Environ(), slackSet+"=1")) // it returns only if nothing came of it
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 0, 0, 0, 0)
}
