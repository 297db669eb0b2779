package reports

import (
	"fmt"

	"locbench/bench/record"
)

// secondsText writes a time as a reader would say it.
func secondsText(s float64) string {
	switch {
	case s < 9.995:
		return fmt.Sprintf("%.2f s", s)
	case s < 120:
		return fmt.Sprintf("%.0f s", s)
	case s < 7200:
		return fmt.Sprintf("%.0f min", s/60)
	}
	return fmt.Sprintf("%.1f h", s/3600)
}

// rateText is how many items a stage did a second.
func rateText(s record.Stage) string {
	if s.Items == 0 || s.Seconds <= 0 {
		return ""
	}
	rate, digits := float64(s.Items)/s.Seconds, 0
	if rate < 10 {
		digits = 2
	}
	return fmt.Sprintf("%.*f %s/s", digits, rate, s.Of)
}

// bytesText writes a size in decimal units; nothing for none.
func bytesText(n int64) string {
	switch {
	case n <= 0:
		return ""
	case n < 1e6:
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	case n < 1e9:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	}
	return fmt.Sprintf("%.2f GB", float64(n)/1e9)
}
