package synth

import (
	"math"

	"gonum.org/v1/gonum/num/quat"
	"gonum.org/v1/gonum/spatial/r3"

	"locbench/kapture/camera"
	"locbench/kapture/geom"
)

// lens is a camera of the scene: its kapture line, and the rays through the
// corners of its pixels, in the camera frame with z = 1.
type lens struct {
	id      string
	model   string
	width   int
	height  int
	params  []float64
	camera  camera.Camera
	corners []r3.Vec // (width+1) × (height+1)
	pixel   float64  // angle of a pixel at the centre, radians
}

// trace unprojects the pixel corners. A lens of this package reaches all of
// its image.
func (l *lens) trace() error {
	var err error
	if l.camera, err = camera.New(l.model, l.params); err != nil {
		return err
	}
	l.corners = make([]r3.Vec, 0, (l.width+1)*(l.height+1))
	for y := range l.height + 1 {
		for x := range l.width + 1 {
			u, v, _ := l.camera.Unproject(float64(x), float64(y))
			l.corners = append(l.corners, r3.Vec{X: u, Y: v, Z: 1})
		}
	}
	l.pixel = 1 / l.params[0]
	return nil
}

// view is what one picture is taken of, and how.
type view struct {
	lens    *lens
	pose    geom.Pose // world → camera
	weather weather
	photo   exposure
	extra   []figure // people and cars
}

// sample is the light through one point of the image, and what it came from.
type sample struct {
	color rgb
	tone  float64
	thing *solid
}

// film is an image in linear light, row by row.
type film struct {
	width, height int
	pixels        []rgb
}

// contrast is the difference in tone between the corners of a pixel, of about
// 0 to 1, from which on the pixel's inside is sampled too.
const contrast = 0.05

// render takes a picture. It samples the pixel corners, and where they differ
// points inside: an edge costs five rays, fine texture three, the rest one.
func (t *town) render(v *view) *film {
	l := v.lens
	f := &film{width: l.width, height: l.height, pixels: make([]rgb, 0, l.width*l.height)}
	p := newPicture(t, v)
	above, below := make([]sample, l.width+1), make([]sample, l.width+1)
	p.corners(above, 0)
	for y := range l.height {
		p.corners(below, y+1)
		for x := range l.width {
			f.pixels = append(f.pixels, p.pixel(x, y, above[x:x+2], below[x:x+2]))
		}
		above, below = below, above
	}
	return f
}

// picture is a view while it is rendered.
type picture struct {
	town   *town
	view   *view
	center r3.Vec
	turn   [3]r3.Vec // columns of the camera → world rotation
	shadow *solid    // that took the sun from the last point
}

func newPicture(t *town, v *view) *picture {
	inv := quat.Conj(v.pose.R)
	return &picture{town: t, view: v, center: v.pose.Center(), turn: [3]r3.Vec{
		geom.Rotate(inv, r3.Vec{X: 1}), geom.Rotate(inv, r3.Vec{Y: 1}), geom.Rotate(inv, r3.Vec{Z: 1})}}
}

func (p *picture) corners(dst []sample, y int) {
	l := p.view.lens
	for x := range dst {
		dst[x] = p.sample(l.corners[y*(l.width+1)+x])
	}
}

func (p *picture) pixel(x, y int, a, b []sample) rgb {
	mean := a[0].color.add(a[1].color).add(b[0].color).add(b[1].color).scale(0.25)
	lo := min(a[0].tone, a[1].tone, b[0].tone, b[1].tone)
	hi := max(a[0].tone, a[1].tone, b[0].tone, b[1].tone)
	same := a[0].thing == a[1].thing && a[0].thing == b[0].thing && a[0].thing == b[1].thing
	if hi-lo < contrast && (same || hi-lo < contrast/4) {
		return mean
	}
	points := insidePoints[:]
	if same && hi-lo < 4*contrast {
		points = points[:2]
	}
	l := p.view.lens
	i := y*(l.width+1) + x
	c00, c10, c01, c11 := l.corners[i], l.corners[i+1], l.corners[i+l.width+1], l.corners[i+l.width+2]
	sum := mean
	for _, q := range points {
		u, v := q[0], q[1]
		top := r3.Add(r3.Scale(1-u, c00), r3.Scale(u, c10))
		low := r3.Add(r3.Scale(1-u, c01), r3.Scale(u, c11))
		sum = sum.add(p.sample(r3.Add(r3.Scale(1-v, top), r3.Scale(v, low))).color)
	}
	return sum.scale(1 / float64(len(points)+1))
}

// insidePoints are the samples within a pixel: all for an edge, the first two
// for a texture.
var insidePoints = [4][2]float64{{0.3, 0.3}, {0.7, 0.7}, {0.7, 0.3}, {0.3, 0.7}}

// sample follows the ray d of the camera frame.
func (p *picture) sample(d r3.Vec) sample {
	t, w := p.town, &p.view.weather
	m := &p.turn
	dir := r3.Vec{
		X: m[0].X*d.X + m[1].X*d.Y + m[2].X*d.Z,
		Y: m[0].Y*d.X + m[1].Y*d.Y + m[2].Y*d.Z,
		Z: m[0].Z*d.X + m[1].Z*d.Y + m[2].Z*d.Z}
	r := newRay(p.center, dir)
	h := castFigures(p.view.extra, &r, t.grid.cast(&r, math.Inf(1)))
	if math.IsInf(h.t, 1) {
		c := w.above(dir, t.noise)
		return p.seen(c, nil)
	}
	at := r.at(h.t)
	far := h.t * norm(dir)
	c := p.shade(&h, at, dir, far)
	c = c.blend(w.low, far/(far+500)) // haze
	return p.seen(c, h.solid)
}

// shade returns the radiance of the surface at a hit, seen along dir from a
// distance of far metres.
func (p *picture) shade(h *hit, at, dir r3.Vec, far float64) rgb {
	t, w := p.town, &p.view.weather
	fine := far * p.view.lens.pixel
	if h.solid == nil {
		albedo := t.ground(at.X, at.Y, fine/max(0.15, -dir.Z/norm(dir)))
		return albedo.times(p.irradiance(at, r3.Vec{Z: 1}))
	}
	n := h.solid.normal(at, h.face)
	slant := max(0.15, math.Abs(r3.Dot(n, dir))/norm(dir))
	q := t.paint(h.solid, at, h.face, fine/slant)
	c := q.albedo.times(p.irradiance(at, n))
	if w.night {
		c = c.add(q.glow.scale(0.22))
	}
	return c
}

// seen is a sample of colour c. Its tone stands in for lightness: the square
// root of the luminance that the film gets.
func (p *picture) seen(c rgb, thing *solid) sample {
	return sample{color: c, tone: math.Sqrt(c.luma() * p.view.photo.gain), thing: thing}
}
