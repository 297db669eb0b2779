package main

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestProgressPrintsPlainLinesOffTerminal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		p := &progress{w: &out}
		p.Start("retrieve", 100)
		p.Add(25)
		time.Sleep(11 * time.Second) // two lines, at 5 s and 10 s
		p.Done()
		want := "retrieve: 25 of 100, 5/s, 15s left\nretrieve: 25 of 100, 2.5/s, 30s left\n"
		if out.String() != want {
			t.Errorf("got %q, want %q", out.String(), want)
		}
	})
}

func TestProgressRedrawsOnTerminal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		p := &progress{w: &out, terminal: true}
		p.Start("retrieve", 2)
		p.Add(1)
		time.Sleep(250 * time.Millisecond)
		p.Done()
		if n := strings.Count(out.String(), "[============            ] retrieve: 1 of 2"); n != 2 {
			t.Errorf("want 2 half-full bars, found %d in %q", n, out.String())
		}
		if !strings.HasSuffix(out.String(), "\r\x1b[K") {
			t.Errorf("the bar is not wiped at the end: %q", out.String())
		}
	})
}

func TestProgressShorterThanATickPrintsNothing(t *testing.T) {
	var out bytes.Buffer
	p := &progress{w: &out}
	p.Start("retrieve", 1)
	p.Add(1)
	p.Done()
	if out.Len() != 0 {
		t.Errorf("want no output, found %q", out.String())
	}
}
