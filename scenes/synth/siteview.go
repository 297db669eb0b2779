package synth

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/spatial/r3"

	"locbench/kapture/geom"
)

// siteLenses returns the cameras that take landmarks: square pictures, from
// wide to long, some with distortion.
func siteLenses(size int) ([]lens, error) {
	s := float64(size)
	lenses := []lens{
		{id: "wide", model: "SIMPLE_RADIAL", params: []float64{0.7 * s, s / 2, s / 2, -0.08}},
		{id: "phone", model: "SIMPLE_PINHOLE", params: []float64{0.82 * s, s / 2, s / 2}},
		{id: "compact", model: "SIMPLE_RADIAL", params: []float64{0.95 * s, s / 2, s / 2, 0.03}},
		{id: "normal", model: "SIMPLE_PINHOLE", params: []float64{1.1 * s, s / 2, s / 2}},
		{id: "long", model: "SIMPLE_PINHOLE", params: []float64{1.45 * s, s / 2, s / 2}},
	}
	for i := range lenses {
		lenses[i].width, lenses[i].height = size, size
		if err := lenses[i].trace(); err != nil {
			return nil, err
		}
	}
	return lenses, nil
}

// light is the kind of hour that a view is taken at.
type light int

const (
	lightClear light = iota // a bright day and a steady camera, as maps are made
	lightDay                // any hour, sky and camera
	lightNight
	lights
)

// lightOf returns the light of view v: the three take turns.
func lightOf(v int) light { return light(v % int(lights)) }

// view draws view v of the site.
func (s *site) view(r *rand.Rand, lenses []lens, v int) view {
	p := view{lens: &lenses[r.IntN(len(lenses))]}
	eye := s.stand(r, p.lens)
	p.pose = s.aim(r, p.lens, eye)
	switch lightOf(v) {
	case lightClear:
		p.weather = day(between(r, 0, 2*math.Pi), between(r, 0.7, 1), between(r, 0.3, 0.6), between(r, 0, 60))
		p.photo = mappingExposure()
	case lightDay:
		p.weather = day(between(r, 0, 2*math.Pi), between(r, 0.5, 1.2), between(r, 0.1, 0.95), between(r, 0, 60))
		p.photo = dayExposure(r)
	case lightNight:
		p.weather, p.photo = queryNight(r), nightExposure(r)
	}
	if lightOf(v) != lightClear {
		to := r3.Sub(s.focus, eye)
		p.extra = s.town.passersBy(r, r3.Vec{X: eye.X, Y: eye.Y}, unitVec(r3.Vec{X: to.X, Y: to.Y}))
	}
	return p
}

// Where people stand who take pictures of a landmark, metres and radians.
const (
	nearest, farthest = 3.5, 18
	widest            = 70 * math.Pi / 180 // off the front's normal
)

// stand draws where the camera is: open ground from which the focus is seen. Two
// of three times it is rather near, the farther the longer the lens is; else it
// is anywhere around, which down a street is often far and aside.
func (s *site) stand(r *rand.Rand, l *lens) r3.Vec {
	zoom := l.params[0] / float64(l.width)
	anywhere := r.IntN(3) == 0
	for range 120 {
		d := nearest * max(1, zoom) * math.Pow(farthest/nearest, 0.8*r.Float64())
		if anywhere {
			d = farthest * math.Sqrt(r.Float64())
		}
		if d < nearest {
			continue
		}
		turn := between(r, -math.Pi, math.Pi)
		if s.normal != (r3.Vec{}) {
			turn = math.Atan2(s.normal.Y, s.normal.X) + between(r, -widest, widest)
		}
		eye := r3.Vec{X: s.focus.X + d*math.Cos(turn), Y: s.focus.Y + d*math.Sin(turn), Z: between(r, 1.35, 2.1)}
		if s.town.standing(eye) && s.sees(eye) {
			return eye
		}
	}
	n := s.normal
	if n == (r3.Vec{}) {
		n = r3.Vec{Y: -1}
	}
	eye := r3.Add(s.focus, r3.Scale(5, n))
	eye.Z = 1.6
	return eye
}

// sees reports whether nothing that was built stands between an eye and the
// landmark.
func (s *site) sees(eye r3.Vec) bool {
	if s.normal != (r3.Vec{}) {
		return s.town.visible(eye, s.before(eye), nil)
	}
	return s.town.visible(eye, r3.Add(eye, r3.Scale(0.6, r3.Sub(s.focus, eye))), nil)
}

// aim turns the camera so that the focus is somewhere in the middle half of the
// picture, held a little askew.
func (s *site) aim(r *rand.Rand, l *lens, eye r3.Vec) geom.Pose {
	to := r3.Sub(s.focus, eye)
	half := math.Atan(0.5 * float64(l.width) / l.params[0])
	heading := math.Atan2(to.Y, to.X) + between(r, -0.45, 0.45)*half
	pitch := math.Atan2(to.Z, math.Hypot(to.X, to.Y)) + between(r, -0.15, 0.45)*half
	return geom.FromCenter(attitude(heading, pitch, 0.03*r.NormFloat64()), eye)
}
