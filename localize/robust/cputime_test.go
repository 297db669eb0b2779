//go:build !linux

package robust

import "time"

var started = time.Now()

// threadTime is the time that has passed: not only that of this thread.
func threadTime() time.Duration { return time.Since(started) }
