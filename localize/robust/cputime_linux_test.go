package robust

import (
	"time"

	"golang.org/x/sys/unix"
)

// threadTime is the processor time of this thread, which a busy machine leaves
// as it is. The goroutine must be locked to it.
func threadTime() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t); err != nil {
		return 0
	}
	return time.Duration(t.Nano())
}
