package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// progress shows one bar at a time on w: redrawn in place on a terminal, a
// plain line now and then elsewhere. It implements bench.Progress.
type progress struct {
	w        io.Writer
	terminal bool

	mu    sync.Mutex
	name  string
	total int
	done  int
	start time.Time
	stop  chan struct{}
	idle  chan struct{}
}

const (
	redrawEvery = 100 * time.Millisecond
	lineEvery   = 5 * time.Second
	barWidth    = 24
)

// Start begins a bar of total steps.
func (p *progress) Start(name string, total int) {
	p.mu.Lock()
	p.name, p.total, p.done, p.start = name, total, 0, time.Now()
	p.stop, p.idle = make(chan struct{}), make(chan struct{})
	stop, idle := p.stop, p.idle
	p.mu.Unlock()
	go p.draw(stop, idle)
}

// Add counts n steps.
func (p *progress) Add(n int) {
	p.mu.Lock()
	p.done += n
	p.mu.Unlock()
}

// Done ends the bar and, on a terminal, wipes its line.
func (p *progress) Done() {
	close(p.stop)
	<-p.idle
}

func (p *progress) draw(stop, idle chan struct{}) {
	defer close(idle)
	every := lineEvery
	if p.terminal {
		every = redrawEvery
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	drawn := false
	for {
		select {
		case <-tick.C:
			p.line()
			drawn = true
		case <-stop:
			if p.terminal && drawn {
				fmt.Fprint(p.w, "\r\x1b[K")
			}
			return
		}
	}
}

func (p *progress) line() {
	p.mu.Lock()
	text := describe(p.name, p.done, p.total, time.Since(p.start))
	if p.terminal {
		filled := 0
		if p.total > 0 {
			filled = barWidth * min(p.done, p.total) / p.total
		}
		text = "\r\x1b[K" + "[" + strings.Repeat("=", filled) + strings.Repeat(" ", barWidth-filled) + "] " + text
	} else {
		text += "\n"
	}
	p.mu.Unlock()
	fmt.Fprint(p.w, text)
}

// describe says how far the work is, how fast it goes and how long it will take.
func describe(name string, done, total int, spent time.Duration) string {
	rate := float64(done) / spent.Seconds()
	text := fmt.Sprintf("%s: %d of %d", name, done, total)
	if done == 0 || spent <= 0 {
		return text
	}
	text += fmt.Sprintf(", %.3g/s", rate)
	if left := total - done; left > 0 {
		text += fmt.Sprintf(", %s left", (time.Duration(float64(left)/rate) * time.Second).Round(time.Second))
	}
	return text
}
