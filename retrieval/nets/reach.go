package nets

import "locbench/retrieval/backend"

// reach says which pixels of a plane a filter reads for those of another one.
// Pixel (y, x) of a grid is pixel (outStride·y+py, outStride·x+px) of what it
// writes, and its tap (dy, dx) reads pixel (inStride·y+dy, inStride·x+dx).
type reach struct {
	inStride, outStride int
	py, px              int
	taps                [][2]int // dy, dx
}

// forwardReach is a layer's own.
func forwardReach(l layer) reach {
	r := reach{inStride: l.stride, outStride: 1}
	half := l.size / 2
	for dy := -half; dy <= half; dy++ {
		for dx := -half; dx <= half; dx++ {
			r.taps = append(r.taps, [2]int{dy, dx})
		}
	}
	return r
}

// backReaches are those of the gradient of a layer's input, one for each parity
// of its rows and columns that has taps: tap d of output pixel y reads input
// pixel stride·y+d. places are their taps among the layer's own.
func backReaches(l layer) (list []reach, places [][]int) {
	forward := forwardReach(l)
	for py := range l.stride {
		for px := range l.stride {
			r := reach{inStride: 1, outStride: l.stride, py: py, px: px}
			var from []int
			for place, t := range forward.taps {
				if (py-t[0])%l.stride == 0 && (px-t[1])%l.stride == 0 {
					r.taps = append(r.taps, [2]int{(py - t[0]) / l.stride, (px - t[1]) / l.stride})
					from = append(from, place)
				}
			}
			if len(from) > 0 {
				list, places = append(list, r), append(places, from)
			}
		}
	}
	return list, places
}

// plan is what a filter does to planes of given sizes.
type plan struct {
	runs   []backend.Run
	spills bool // it writes to the border
}

// plan chooses the cheaper of two ways: all pixels as one long row, with those of
// the border, and rows that leave out the taps which would read the border.
func (r *reach) plan(in, out *plane) plan {
	p := plan{runs: r.short(in, out)}
	if r.inStride == 1 && r.outStride == 1 {
		if long := r.long(in, out); cost(long) <= cost(p.runs) {
			return plan{runs: long, spills: true}
		}
	}
	return p
}

// cost is about what runs take.
func cost(runs []backend.Run) (sum int) {
	const tile = backend.FilterSlack
	for _, run := range runs {
		pixels := run.Pixels / tile * tile
		switch rest := run.Pixels - pixels; {
		case rest > tile/2:
			pixels += tile
		case rest > tile/4+1:
			pixels += tile / 2
		case rest > 0:
			pixels += tile/4 + 1
		}
		sum += pixels * len(run.Taps)
	}
	return sum
}

// long is one run over a plane and the border between its rows.
func (r *reach) long(in, out *plane) []backend.Run {
	run := backend.Run{Pixels: (out.h*out.row() - 1) * out.images, In: in.at(0, 0), InStep: in.each, Out: out.at(0, 0), OutStep: out.each}
	for i, t := range r.taps {
		run.Taps = append(run.Taps, backend.Tap{Offset: (t[0]*in.row() + t[1]) * in.step, Place: i})
	}
	return []backend.Run{run}
}

// short are runs of pixels that read the plane by the same taps.
func (r *reach) short(in, out *plane) (runs []backend.Run) {
	rows, cols := (out.h-r.py-1)/r.outStride+1, (out.w-r.px-1)/r.outStride+1
	if out.h <= r.py || out.w <= r.px {
		return nil
	}
	for y := range rows {
		for x := 0; x < cols; {
			taps := r.inside(in, y, x)
			n := 1
			for x+n < cols && r.same(in, y, x, x+n) {
				n++
			}
			if len(taps) > 0 {
				runs = append(runs, r.across(in, out, y, x, n, taps)...)
			}
			x += n
		}
	}
	return runs
}

// inside are the taps that read the plane for a pixel of the grid.
func (r *reach) inside(in *plane, y, x int) (taps []backend.Tap) {
	for i, t := range r.taps {
		if within(r.inStride*y+t[0], in.h) && within(r.inStride*x+t[1], in.w) {
			taps = append(taps, backend.Tap{Offset: (t[0]*in.row() + t[1]) * in.step, Place: i})
		}
	}
	return taps
}

// same says whether two pixels of a row read the plane by the same taps.
func (r *reach) same(in *plane, y, a, b int) bool {
	for _, t := range r.taps {
		if within(r.inStride*a+t[1], in.w) != within(r.inStride*b+t[1], in.w) {
			return false
		}
	}
	return true
}

func within(i, n int) bool { return i >= 0 && i < n }

// across are runs over n pixels of a row, of all images: one where both planes
// have them side by side, and else one for each pixel, or for an image alone.
func (r *reach) across(in, out *plane, y, x, n int, taps []backend.Tap) []backend.Run {
	run := backend.Run{Pixels: n * out.images, In: in.at(r.inStride*y, r.inStride*x), InStep: in.each,
		Out: out.at(r.outStride*y+r.py, r.outStride*x+r.px), OutStep: out.each, Taps: taps}
	switch {
	case r.inStride == 1 && r.outStride == 1:
		return []backend.Run{run}
	case out.images == 1:
		run.InStep, run.OutStep = r.inStride*in.step, r.outStride*out.step
		return []backend.Run{run}
	}
	runs := make([]backend.Run, n)
	run.Pixels = out.images
	for i := range runs {
		runs[i] = run
		run.In += r.inStride * in.step
		run.Out += r.outStride * out.step
	}
	return runs
}

// chains lists, for one tap, the pixels of every image with what the tap reads:
// chains of packed pixels image after image, row after row.
func (r *reach) chains(in, out *plane, tap int) []backend.Chain {
	t := r.taps[tap]
	pixels := out.h * out.w
	all := make([]backend.Pair, 0, pixels*out.images)
	var list []backend.Chain
	for image := range out.images {
		from := len(all)
		for y := range out.h {
			for x := range out.w {
				k := y*out.w + x
				if k > 0 && k%backend.ChainPixels == 0 {
					list, from = append(list, all[from:]), len(all)
				}
				iy, ix := r.inStride*y+t[0], r.inStride*x+t[1]
				if within(iy, in.h) && within(ix, in.w) {
					all = append(all, backend.Pair{In: in.at(iy, ix) + image*in.each, Packed: image*pixels + k})
				}
			}
		}
		list = append(list, all[from:])
	}
	return list
}
