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
	face  uint8
	sun   sunlight
	inv   float64 // 1/t of the hit: linear over the image on a plane; 0: sky
}

// sunlight says whether the sun shines on a point.
type sunlight uint8

const (
	sunUnknown sunlight = iota
	sunLit
	sunShade
	sunAverted // the surface faces away, or it is night
)

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
	same := a[0].like(&a[1]) && a[0].like(&b[0]) && a[0].like(&b[1])
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
		d := r3.Add(r3.Scale(1-v, top), r3.Scale(v, low))
		if same && a[0].inv > 0 && a[0].face != faceRound {
			inv := (1-v)*((1-u)*a[0].inv+u*a[1].inv) + v*((1-u)*b[0].inv+u*b[1].inv)
			sum = sum.add(p.between(d, inv, &a[0]).color)
		} else {
			sum = sum.add(p.sample(d).color)
		}
	}
	return sum.scale(1 / float64(len(points)+1))
}

// like reports whether two samples are of one surface in one light, so that
// what is between them is too.
func (s *sample) like(o *sample) bool {
	return s.thing == o.thing && s.face == o.face && s.sun == o.sun && (s.inv > 0) == (o.inv > 0)
}

// insidePoints are the samples within a pixel: all for an edge, the first two
// for a texture.
var insidePoints = [4][2]float64{{0.3, 0.3}, {0.7, 0.7}, {0.7, 0.3}, {0.3, 0.7}}

// world turns a ray of the camera frame.
func (p *picture) world(d r3.Vec) r3.Vec {
	m := &p.turn
	return r3.Vec{
		X: m[0].X*d.X + m[1].X*d.Y + m[2].X*d.Z,
		Y: m[0].Y*d.X + m[1].Y*d.Y + m[2].Y*d.Z,
		Z: m[0].Z*d.X + m[1].Z*d.Y + m[2].Z*d.Z}
}

// sample follows the ray d of the camera frame.
func (p *picture) sample(d r3.Vec) sample {
	dir := p.world(d)
	r := newRay(p.center, dir)
	h := castFigures(p.view.extra, &r, p.town.grid.cast(&r, math.Inf(1)))
	if math.IsInf(h.t, 1) {
		return p.seen(p.view.weather.above(dir, p.town.noise), sample{})
	}
	return p.surface(&h, dir, sunUnknown)
}

// between is sample where the corners of the pixel are like s: the ray meets
// the same plane, at distance 1/inv, in the same light.
func (p *picture) between(d r3.Vec, inv float64, s *sample) sample {
	return p.surface(&hit{t: 1 / inv, solid: s.thing, face: s.face}, p.world(d), s.sun)
}

// surface is the sample of a hit in direction dir.
func (p *picture) surface(h *hit, dir r3.Vec, sun sunlight) sample {
	t, w := p.town, &p.view.weather
	length := norm(dir)
	far := h.t * length
	at := r3.Add(p.center, r3.Scale(h.t, dir))
	fine := far * p.view.lens.pixel
	var q paint
	n := r3.Vec{Z: 1}
	if h.solid == nil {
		q.albedo = t.ground(at.X, at.Y, fine/max(0.15, -dir.Z/length))
	} else {
		n = h.solid.normal(at, h.face)
		q = t.paint(h.solid, at, h.face, fine/max(0.15, math.Abs(r3.Dot(n, dir))/length))
	}
	light, sun := p.irradiance(at, n, sun)
	c := q.albedo.times(light)
	if w.night {
		c = c.add(q.glow.scale(0.22))
	}
	c = c.blend(w.low, far/(far+500)) // haze
	return p.seen(c, sample{thing: h.solid, face: h.face, sun: sun, inv: 1 / h.t})
}

// seen completes a sample by its colour. Its tone stands in for lightness: the
// square root of the luminance that the film gets.
func (p *picture) seen(c rgb, s sample) sample {
	s.color, s.tone = c, math.Sqrt(c.luma()*p.view.photo.gain)
	return s
}
