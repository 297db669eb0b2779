package backend

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// PeakMemory returns the most memory that this process has held, bytes; 0 where
// the system does not say.
func PeakMemory() int64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			if fields := strings.Fields(rest); len(fields) > 0 {
				kb, _ := strconv.ParseInt(fields[0], 10, 64) // 0 for what is no number
				return kb << 10
			}
		}
	}
	return 0
}

// hostMemory says how much memory this machine has and how much of it is
// available, "" where the system does not tell (it is Linux's /proc/meminfo).
func hostMemory() string {
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return ""
	}
	return parseMeminfo(string(text))
}

func parseMeminfo(text string) string {
	kib := map[string]float64{}
	for line := range strings.SplitSeq(text, "\n") {
		if fields := strings.Fields(line); len(fields) == 3 && fields[2] == "kB" {
			if v, err := strconv.ParseFloat(fields[1], 64); err == nil {
				kib[fields[0]] = v
			}
		}
	}
	total, known := kib["MemTotal:"]
	free, both := kib["MemAvailable:"]
	if !known || !both {
		return ""
	}
	return fmt.Sprintf("%.1f GiB, %.1f GiB free", total/(1<<20), free/(1<<20))
}

// cudaMemory says the same of the first NVIDIA device, as the driver's own tool
// does: PJRT plugins are not asked, which would claim most of the memory first.
func cudaMemory(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	text, err := exec.CommandContext(ctx, "nvidia-smi", "--query-gpu=memory.total,memory.free", "--format=csv,noheader,nounits").Output()
	if err != nil {
		return ""
	}
	return parseDriver(string(text))
}

// parseDriver reads "143771, 143000": MiB, a line a device.
func parseDriver(text string) string {
	first, _, _ := strings.Cut(text, "\n")
	total, free, ok := strings.Cut(first, ",")
	t, errTotal := strconv.ParseFloat(strings.TrimSpace(total), 64)
	f, errFree := strconv.ParseFloat(strings.TrimSpace(free), 64)
	if !ok || errTotal != nil || errFree != nil {
		return ""
	}
	return fmt.Sprintf("%.1f GiB, %.1f GiB free", t/1024, f/1024)
}
