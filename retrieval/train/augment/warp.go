package augment

import (
	"image"
	"math"

	"locbench/retrieval/imgio"
)

// projective maps the plane: (x, y) goes to (a x + b y + c, d x + e y + f) over
// g x + h y + 1, in the order a to h, as Pillow's transforms have it. Its
// transforms map pixels of the output to where they come from.
type projective [8]float64

// at maps a point.
func (p *projective) at(x, y float64) (float64, float64) {
	k := p[6]*x + p[7]*y + 1
	return (p[0]*x + p[1]*y + p[2]) / k, (p[3]*x + p[4]*y + p[5]) / k
}

// after returns the map that does q first and p second.
func (p *projective) after(q *projective) *projective {
	a := [9]float64{p[0], p[1], p[2], p[3], p[4], p[5], p[6], p[7], 1}
	b := [9]float64{q[0], q[1], q[2], q[3], q[4], q[5], q[6], q[7], 1}
	var c [9]float64
	for i := range 3 {
		for j := range 3 {
			c[3*i+j] = a[3*i]*b[j] + a[3*i+1]*b[3+j] + a[3*i+2]*b[6+j]
		}
	}
	var out projective
	for i := range out {
		out[i] = c[i] / c[8]
	}
	return &out
}

// rotation returns where the pixels of an image come from that is turned
// counterclockwise about its centre, as Pillow's Image.rotate: the sines are
// rounded to 15 digits.
func rotation(w, h int, degrees float64) *projective {
	angle := -degrees * (math.Pi / 180)
	s, c := math.Sincos(angle)
	s, c = round15(s), round15(c)
	cx, cy := float64(w)/2, float64(h)/2
	return &projective{
		c, s, float64(c*-cx) + float64(s*-cy) + cx,
		-s, c, float64(-s*-cx) + float64(c*-cy) + cy}
}

func round15(v float64) float64 { return math.Round(v*1e15) / 1e15 }

// direction is the side of an image that a tilt spreads.
type direction int

const (
	tiltLeft direction = iota
	tiltRight
	tiltUp
	tiltDown
)

// tilt returns where the pixels of an image come from whose corners at one side
// move apart by amount pixels each.
func tilt(w, h int, d direction, amount float64) *projective {
	x, y := float64(w), float64(h)
	corners := [4][2]float64{{0, 0}, {x, 0}, {x, y}, {0, y}}
	moved := corners
	switch d {
	case tiltLeft:
		moved[0][1] -= amount
		moved[3][1] += amount
	case tiltRight:
		moved[1][1] -= amount
		moved[2][1] += amount
	case tiltUp:
		moved[0][0] -= amount
		moved[1][0] += amount
	case tiltDown:
		moved[2][0] += amount
		moved[3][0] -= amount
	}
	return between(moved, corners)
}

// between returns the map that takes four points to four others, no three of
// them on a line. It solves the eight linear equations by elimination.
func between(from, to [4][2]float64) *projective {
	var m [8][9]float64
	for i := range 4 {
		x, y, u, v := from[i][0], from[i][1], to[i][0], to[i][1]
		m[2*i] = [9]float64{x, y, 1, 0, 0, 0, -u * x, -u * y, u}
		m[2*i+1] = [9]float64{0, 0, 0, x, y, 1, -v * x, -v * y, v}
	}
	for c := range 8 {
		best := c
		for r := c; r < 8; r++ {
			if math.Abs(m[r][c]) > math.Abs(m[best][c]) {
				best = r
			}
		}
		m[c], m[best] = m[best], m[c]
		for r := range 8 {
			if r == c || m[r][c] == 0 {
				continue
			}
			k := m[r][c] / m[c][c]
			for j := c; j < 9; j++ {
				m[r][j] -= k * m[c][j]
			}
		}
	}
	var p projective
	for i := range p {
		p[i] = m[i][8] / m[i][i]
	}
	return &p
}

// seen is the part of the image that the pixels of a window may come from.
func (p *projective) seen(window, all image.Rectangle) image.Rectangle {
	if window.Empty() {
		return window
	}
	box := image.Rectangle{}
	for _, x := range []int{window.Min.X, window.Max.X - 1} {
		for _, y := range []int{window.Min.Y, window.Max.Y - 1} {
			if p[6]*(float64(x)+0.5)+p[7]*(float64(y)+0.5)+1 <= 0 {
				return all // beyond the horizon
			}
			u, v := p.at(float64(x)+0.5, float64(y)+0.5)
			u, v = min(max(u, 0), float64(all.Dx())), min(max(v, 0), float64(all.Dy()))
			// A pixel is made of four around it; one more for rounding.
			at := image.Pt(int(u)-2, int(v)-2)
			box = box.Union(image.Rectangle{Min: at, Max: at.Add(image.Pt(5, 5))})
		}
	}
	return box.Intersect(all)
}

// warpRow is some pixels of a row for the kernel; the assembly reads it by offset.
type warpRow struct {
	dst    *byte
	src    *byte // the part's first pixel
	stride int   // bytes of its row
	n      int   // pixels, at least one
	origin int   // bytes from where (0, 0) would be to the part's first pixel
	center float64
	slopes [4]float64 // u, v and their denominator are slopes·center + row + ends
	row    [4]float64
	ends   [4]float64
}

// warpKernel computes pixels whose four neighbours are all there; it may read
// and write a byte beyond each. nil: there is none.
var warpKernel func(r *warpRow)

// warp fills out with the window of the image that back makes of m. The
// interpolation is bilinear, as Pillow's: from pixel centres, cut off to a
// byte; what comes from outside of m is black.
func warp(out *imgio.Image, m *part, window image.Rectangle, back *projective) {
	first, last := max(window.Min.X, 0), min(window.Max.X, m.all.Max.X)
	for y := max(window.Min.Y, 0); y < min(window.Max.Y, m.all.Max.Y) && first < last; y++ { // padding stays
		l := line{part: m, p: *back}
		l.set(y)
		row := out.Pix[3*(y-window.Min.Y)*out.W:]
		dst := func(x int) []byte { return row[3*(x-window.Min.X):][:3] }
		from, to := first, first
		if warpKernel != nil {
			from, to = l.inner(first, last-1) // the kernel writes a byte beyond its last pixel
		}
		for x := first; x < from; x++ {
			l.pixel(dst(x), x)
		}
		if from < to {
			l.pixels(dst(from), from, to)
		}
		for x := to; x < last; x++ {
			l.pixel(dst(x), x)
		}
	}
}

// line is a row of the output.
type line struct {
	*part
	p          projective
	pu, pv, pk float64 // what the row adds to u, v and their denominator
}

// set chooses the row.
func (l *line) set(y int) {
	center := float64(y) + 0.5
	l.pu, l.pv, l.pk = l.p[1]*center, l.p[4]*center, l.p[7]*center
}

// from is where pixel x comes from, and its denominator.
func (l *line) from(x int) (u, v, k float64) {
	center := float64(x) + 0.5
	k = float64(l.p[6]*center) + l.pk + 1
	return (float64(l.p[0]*center) + l.pu + l.p[2]) / k, (float64(l.p[3]*center) + l.pv + l.p[5]) / k, k
}

// pixel writes pixel x.
func (l *line) pixel(dst []byte, x int) {
	u, v, _ := l.from(x)
	if u >= 0 && v >= 0 && u < float64(l.all.Dx()) && v < float64(l.all.Dy()) {
		l.bilinear(dst, u-0.5, v-0.5)
	} else {
		dst[0], dst[1], dst[2] = 0, 0, 0
	}
}

// inner is a range of the pixels first … last-1 that have their four neighbours in
// the part, and a byte after them. Such pixels are next to each other: a row comes
// from a line.
func (l *line) inner(first, last int) (from, to int) {
	const margin = 0.01 // for rounding
	inside := func(x int) bool {
		u, v, k := l.from(x)
		u, v = u-0.5, v-0.5
		return k > 0 && u >= float64(l.at.Min.X)+margin && u < float64(l.at.Max.X-1)-margin &&
			v >= float64(l.at.Min.Y)+margin && v < float64(l.at.Max.Y-2)-margin
	}
	for first < last && !inside(first) {
		first++
	}
	for first < last && !inside(last-1) {
		last--
	}
	return first, max(first, last)
}

// pixels writes pixels from … to-1, which inner gave, by the kernel.
func (l *line) pixels(dst []byte, from, to int) {
	p := &l.p
	warpKernel(&warpRow{
		dst: &dst[0], src: &l.Pix[0], stride: 3 * l.W, n: to - from, origin: 3 * (l.at.Min.Y*l.W + l.at.Min.X), center: float64(from) + 0.5,
		slopes: [4]float64{p[0], p[3], p[6]}, row: [4]float64{l.pu, l.pv, l.pk}, ends: [4]float64{p[2], p[5], 1},
	})
}

// bilinear writes the colour at (u, v) from the centre of the first pixel of all.
func (m *part) bilinear(dst []byte, u, v float64) {
	x, y := int(u), int(v) // rounded down, from -0.5 on
	if u < 0 {
		x = -1
	}
	if v < 0 {
		y = -1
	}
	dx, dy := u-float64(x), v-float64(y)
	x0, x1 := max(x, 0)-m.at.Min.X, min(x+1, m.all.Max.X-1)-m.at.Min.X
	y0, y1 := max(y, 0)-m.at.Min.Y, min(y+1, m.all.Max.Y-1)-m.at.Min.Y
	a, b := m.Pix[3*(y0*m.W+x0):][:3], m.Pix[3*(y0*m.W+x1):][:3]
	c, d := m.Pix[3*(y1*m.W+x0):][:3], m.Pix[3*(y1*m.W+x1):][:3]
	for i := range dst[:3] {
		top := float64(a[i]) + float64(float64(int(b[i])-int(a[i]))*dx)
		low := float64(c[i]) + float64(float64(int(d[i])-int(c[i]))*dx)
		dst[i] = byte(top + float64((low-top)*dy))
	}
}
