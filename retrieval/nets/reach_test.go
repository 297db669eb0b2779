package nets

import (
	"fmt"
	"slices"
	"testing"

	"locbench/retrieval/backend"
	"locbench/retrieval/imgio"
)

// TestReach: both kinds of runs write every pixel of every image once, by all
// taps that read the plane, and of the others at most those that read its border.
func TestReach(t *testing.T) {
	for _, l := range []layer{{size: 3, stride: 1, from: 4, to: 5}, {size: 3, stride: 2, from: 4, to: 5}, {size: 1, stride: 1, from: 4, to: 5}, {size: 1, stride: 2, from: 4, to: 5}} {
		for _, s := range []shape{{1, 1}, {2, 2}, {1, 5}, {4, 3}, {6, 7}} {
			for _, images := range []int{1, 3} {
				name := fmt.Sprintf("%d×%d by %d, %d images of %v", l.size, l.size, l.stride, images, s)
				in := newPlane(make([]float32, planeSize(images, s.h, s.w, l.from)), images, s.h, s.w, l.from)
				to := shape{(s.h-1)/l.stride + 1, (s.w-1)/l.stride + 1}
				out := newPlane(make([]float32, planeSize(images, to.h, to.w, l.to)), images, to.h, to.w, l.to)
				r := forwardReach(l)
				written := map[int]int{}
				checkRuns(t, name, r, &in, &out, r.short(&in, &out), written)
				checkWritten(t, name, &out, written)
				if l.stride == 1 {
					long := map[int]int{}
					checkRuns(t, name+", long", r, &in, &out, r.long(&in, &out), long)
					checkWritten(t, name+", long", &out, long)
				}
				back, _ := backReaches(l)
				written = map[int]int{}
				for _, r := range back {
					checkRuns(t, name+", back", r, &out, &in, r.short(&out, &in), written)
				}
				if l.size > 1 { // a filter of one tap reads not every pixel
					checkWritten(t, name+", back", &in, written)
				}
			}
		}
	}
}

// places are the pixels of a plane by their index.
func (p *plane) places() map[int][3]int {
	all := map[int][3]int{}
	for y := range p.h {
		for x := range p.w {
			for i := range p.images {
				all[p.at(y, x)+i*p.each] = [3]int{y, x, i}
			}
		}
	}
	return all
}

func checkRuns(t *testing.T, name string, r reach, in, out *plane, runs []backend.Run, written map[int]int) {
	t.Helper()
	read, write := in.places(), out.places()
	for _, run := range runs {
		for k := range run.Pixels {
			at := run.Out + k*run.OutStep
			to, ok := write[at]
			if !ok {
				continue // the border
			}
			written[at]++
			y, x := (to[0]-r.py)/r.outStride, (to[1]-r.px)/r.outStride
			for place, tap := range r.taps {
				iy, ix := r.inStride*y+tap[0], r.inStride*x+tap[1]
				i := slices.IndexFunc(run.Taps, func(t backend.Tap) bool { return t.Place == place })
				inside := iy >= 0 && ix >= 0 && iy < in.h && ix < in.w
				if i < 0 {
					if inside {
						t.Errorf("%s: pixel %v lacks tap %v", name, to, tap)
					}
					continue
				}
				from, ok := read[run.In+k*run.InStep+run.Taps[i].Offset]
				if ok != inside || ok && from != [3]int{iy, ix, to[2]} {
					t.Errorf("%s: tap %v of pixel %v reads %v, %v", name, tap, to, from, ok)
				}
			}
		}
	}
}

func checkWritten(t *testing.T, name string, out *plane, written map[int]int) {
	t.Helper()
	for at, place := range out.places() {
		if written[at] != 1 {
			t.Errorf("%s: pixel %v is written %d times", name, place, written[at])
		}
	}
}

// TestLearnerGroups: images that are computed side by side add up to the bits of
// those that are computed alone.
func TestLearnerGroups(t *testing.T) {
	var images []*imgio.Image
	for i := range 40 {
		images = append(images, photo(fmt.Sprint("group", i), 40+8*(i/32), 52))
	}
	for _, arch := range []string{"resnet10_w8", "resnet50_w8"} {
		cfg := learnerConfig(arch, "gem")
		all := scratchTensors(t, cfg, images[:8])
		grad := randomGradient(len(images) * 12)
		var want []Tensor
		var rows []float32
		for _, call := range []int{len(images), 1} {
			l := newTestLearner(t, cfg, all, LearnerOptions{Norms: true}, 2)
			var got []float32
			for from := 0; from < len(images); from += call {
				part, err := l.Describe(t.Context(), images[from:from+call])
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, part...)
				if err := l.Accumulate(t.Context(), images[from:from+call], grad[from*12:(from+call)*12]); err != nil {
					t.Fatal(err)
				}
			}
			if err := l.Step(DefaultAdam()); err != nil {
				t.Fatal(err)
			}
			state := stateOf(t, l)
			if want == nil {
				want, rows = state, got
			}
			if !slices.Equal(got, rows) {
				t.Errorf("%s: descriptors differ", arch)
			}
			for i, s := range state {
				if !slices.Equal(s.Data, want[i].Data) {
					t.Errorf("%s: %s differs", arch, s.Name)
				}
			}
		}
	}
}

func TestGroups(t *testing.T) {
	var images []*imgio.Image
	for range 8 * 20 { // 20 a lane
		images = append(images, imgio.New(32, 32))
	}
	images[8*3+1] = imgio.New(32, 33)
	if got := groups(images, 0); len(got) != 2 || len(got[0]) != 10 || len(got[1]) != 10 || got[1][9] != 8*19 {
		t.Errorf("want two groups of ten, found %v", got)
	}
	if got := groups(images, 1); len(got) != 4 || !slices.Equal(got[0], []int{1, 9, 17}) || !slices.Equal(got[1], []int{25}) {
		t.Errorf("want the image of another size alone, found %v", got)
	}
	if got := groups(images[:4], 5); len(got) != 0 {
		t.Errorf("want no group, found %v", got)
	}
}
