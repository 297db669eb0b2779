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

// warp fills out with the window of the image that back makes of m. The
// interpolation is bilinear, as Pillow's: from pixel centres, cut off to a
// byte; what comes from outside of m is black.
func warp(out, m *imgio.Image, window image.Rectangle, back *projective) {
	dst := out.Pix
	w, h := float64(m.W), float64(m.H)
	for y := window.Min.Y; y < window.Max.Y; y++ {
		for x := window.Min.X; x < window.Max.X; x++ {
			u, v := back.at(float64(x)+0.5, float64(y)+0.5)
			inside := x >= 0 && y >= 0 && x < m.W && y < m.H
			switch {
			case !inside: // padding stays
			case u >= 0 && v >= 0 && u < w && v < h:
				bilinear(dst[:3], m, u-0.5, v-0.5)
			default:
				dst[0], dst[1], dst[2] = 0, 0, 0
			}
			dst = dst[3:]
		}
	}
}

// bilinear writes the colour of m at (u, v) from the centre of its first pixel.
func bilinear(dst []byte, m *imgio.Image, u, v float64) {
	fx, fy := math.Floor(u), math.Floor(v)
	dx, dy := u-fx, v-fy
	x, y := int(fx), int(fy)
	x0, x1 := 3*max(x, 0), 3*min(x+1, m.W-1)
	upper := m.Pix[3*m.W*max(y, 0):]
	lower := m.Pix[3*m.W*min(y+1, m.H-1):]
	for c := range 3 {
		a, b := float64(upper[x0+c]), float64(upper[x1+c])
		top := a + float64((b-a)*dx)
		a, b = float64(lower[x0+c]), float64(lower[x1+c])
		low := a + float64((b-a)*dx)
		dst[c] = byte(top + float64((low-top)*dy))
	}
}
