package synth

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/num/quat"
	"gonum.org/v1/gonum/spatial/r3"

	"locbench/kapture/geom"
)

// level0 is the world → camera rotation of a camera that looks along +x: world
// axes forward, left, up; camera axes right, down, forward.
var level0 = quat.Number{Real: 0.5, Imag: 0.5, Jmag: -0.5, Kmag: 0.5}

// attitude returns the world → camera rotation of a camera with a heading
// (from +x to +y), a pitch (up) and a roll (clockwise), radians.
func attitude(heading, pitch, roll float64) quat.Number {
	q := quat.Mul(level0, quat.Number{Real: math.Cos(heading / 2), Kmag: -math.Sin(heading / 2)})
	q = quat.Mul(quat.Number{Real: math.Cos(pitch / 2), Imag: -math.Sin(pitch / 2)}, q)
	return quat.Mul(quat.Number{Real: math.Cos(roll / 2), Kmag: -math.Sin(roll / 2)}, q)
}

// Mounting of the rig's two cameras.
const (
	rigHeight   = 1.8
	rigYaw      = 38 * math.Pi / 180 // of each camera, outwards
	rigPitch    = 5 * math.Pi / 180  // up
	rigBaseline = 0.5
)

// mounts returns the rig → camera poses of the left and the right camera. The
// rig's axes are those of a camera that looks ahead.
func mounts() [2]geom.Pose {
	var out [2]geom.Pose
	for i, side := range []float64{1, -1} {
		yaw := quat.Number{Real: math.Cos(side * rigYaw / 2), Jmag: math.Sin(side * rigYaw / 2)}
		pitch := quat.Number{Real: math.Cos(rigPitch / 2), Imag: -math.Sin(rigPitch / 2)}
		out[i] = geom.FromCenter(quat.Mul(pitch, yaw), r3.Vec{X: -side * rigBaseline / 2})
	}
	return out
}

// drive returns the world → rig poses of n stops along the streets.
func (t *town) drive(n int) []geom.Pose {
	r := generator(t.seed, "drive", 0)
	path := t.roads.tour(r, float64(n)*metresPerPose)
	stops := make([]geom.Pose, n)
	for i := range stops {
		at, d := along(path, (float64(i)+0.6)*metresPerPose+between(r, -0.6, 0.6))
		lane := 0.7 + between(r, -0.35, 0.35) // keep to the right
		at = r3.Add(at, r3.Vec{X: d.Y * lane, Y: -d.X * lane, Z: rigHeight + between(r, -0.02, 0.02)})
		heading := math.Atan2(d.Y, d.X) + between(r, -0.05, 0.05)
		stops[i] = geom.FromCenter(attitude(heading, between(r, -0.015, 0.015), between(r, -0.01, 0.01)), at)
	}
	return stops
}

// rigLenses returns the two mapping cameras: wide, with barrel distortion.
func rigLenses(width, height int) []lens {
	w, h := float64(width), float64(height)
	return []lens{
		{id: "left", model: "OPENCV", width: width, height: height,
			params: []float64{0.62 * w, 0.6205 * w, w/2 + 0.004*w, h/2 - 0.003*w, -0.11, 0.019, 0.0004, -0.0003}},
		{id: "right", model: "OPENCV", width: width, height: height,
			params: []float64{0.618 * w, 0.6183 * w, w/2 - 0.005*w, h/2 + 0.002*w, -0.105, 0.017, -0.0003, 0.0005}},
	}
}

// handLenses returns the query cameras: a phone held wide, one held upright,
// and a small camera with some distortion.
func handLenses(width, height int) []lens {
	w, h := float64(width), float64(height)
	long := max(w, h)
	sw, sh := even(w*0.9), even(w*0.9*0.6)
	return []lens{
		{id: "phone_wide", model: "PINHOLE", width: width, height: height,
			params: []float64{0.82 * long, 0.822 * long, w/2 - 0.002*w, h/2 + 0.003*h}},
		{id: "phone_tall", model: "SIMPLE_RADIAL", width: height, height: width,
			params: []float64{0.78 * long, h / 2, w / 2, 0.035}},
		{id: "compact", model: "RADIAL", width: sw, height: sh,
			params: []float64{0.72 * float64(sw), float64(sw)/2 + 0.5, float64(sh)/2 - 0.7, -0.06, 0.008}},
	}
}

func even(v float64) int { return max(16, int(math.Round(v/2))*2) }

// stand is where a query camera is, and what it sees of the mapped town.
type stand struct {
	pose    geom.Pose
	eye     r3.Vec
	ahead   r3.Vec // level
	overlap float64
}

// minOverlap is the share of a query's surfaces that some mapping image sees.
const minOverlap = 0.55

// findStand places a query camera somewhere near mapping image i: another
// position, height and heading, clear of walls, and with a view that the
// mapping shares. It tries some places and takes the best if none is good.
func (p *plan) findStand(r *rand.Rand, i int, l *lens) stand {
	var best stand
	best.overlap = -1
	base := p.mapping[i]
	forward := geom.Rotate(quat.Conj(base.pose.R), r3.Vec{Z: 1})
	heading := math.Atan2(forward.Y, forward.X)
	center := base.pose.Center()
	for try := range 60 {
		spread := 1.6 + 0.02*float64(try)
		eye := r3.Vec{X: center.X + spread*r.NormFloat64(), Y: center.Y + spread*r.NormFloat64(), Z: between(r, 1.35, 2.1)}
		turn := heading + 0.24*r.NormFloat64()
		pose := geom.FromCenter(attitude(turn, 0.06+0.05*r.NormFloat64(), 0.03*r.NormFloat64()), eye)
		if !p.town.clear(center, eye) {
			continue
		}
		s := stand{pose: pose, eye: eye, ahead: r3.Vec{X: math.Cos(turn), Y: math.Sin(turn)}}
		s.overlap = p.overlap(l, pose)
		if s.overlap > best.overlap {
			best = s
		}
		if s.overlap >= minOverlap {
			break
		}
	}
	if best.overlap < 0 {
		best = stand{pose: base.pose, eye: center, ahead: r3.Vec{X: forward.X, Y: forward.Y}, overlap: 1}
	}
	return best
}

// clear reports whether a person can walk from a to b and stand there with
// 0.7 m of room.
func (t *town) clear(a, b r3.Vec) bool {
	if !t.visible(a, b, nil) {
		return false
	}
	for k := range 8 {
		s, c := math.Sincos(float64(k) * math.Pi / 4)
		for _, z := range []float64{0.3, b.Z} {
			if !t.visible(r3.Vec{X: b.X, Y: b.Y, Z: z}, r3.Vec{X: b.X + 0.7*c, Y: b.Y + 0.7*s, Z: z}, nil) {
				return false
			}
		}
	}
	return true
}

// overlap returns the share of what the camera sees, sky aside, that some
// mapping image near it sees too. A view that is mostly sky, or blocked by a
// wall before it, scores low.
func (p *plan) overlap(l *lens, pose geom.Pose) float64 {
	const nx, ny = 8, 6
	eye := pose.Center()
	near := p.mappingNear(eye)
	inv := quat.Conj(pose.R)
	hits, shared, depth := 0, 0, 0.0
	for k := range nx * ny {
		x, y := (2*(k%nx)+1)*l.width/(2*nx), (2*(k/nx)+1)*l.height/(2*ny)
		r := newRay(eye, geom.Rotate(inv, l.corners[y*(l.width+1)+x]))
		h := p.town.grid.cast(&r, 60)
		if math.IsInf(h.t, 1) {
			continue
		}
		hits++
		depth += min(h.t, 10)
		if p.seen(near, r.at(h.t*0.999)) {
			shared++
		}
	}
	if hits < nx*ny/4 || depth < 3*float64(hits) {
		return 0
	}
	return float64(shared) / float64(hits)
}

// matchReach is how far away a mapping image is looked for that sees the same.
const matchReach = 25 // metres

func square(at r3.Vec) [2]int {
	return [2]int{int(math.Floor(at.X / matchReach)), int(math.Floor(at.Y / matchReach))}
}

func (p *plan) indexMapping() {
	p.near = map[[2]int][]int{}
	for i := range p.mapping {
		s := square(p.mapping[i].pose.Center())
		p.near[s] = append(p.near[s], i)
	}
}

// mappingNear returns the mapping images within reach of a point.
func (p *plan) mappingNear(at r3.Vec) []int {
	var near []int
	here := square(at)
	for x := here[0] - 1; x <= here[0]+1; x++ {
		for y := here[1] - 1; y <= here[1]+1; y++ {
			for _, i := range p.near[[2]int{x, y}] {
				if norm(r3.Sub(p.mapping[i].pose.Center(), at)) < matchReach {
					near = append(near, i)
				}
			}
		}
	}
	return near
}

// seen reports whether one of the mapping images shows point x.
func (p *plan) seen(near []int, x r3.Vec) bool {
	for _, i := range near {
		m := &p.mapping[i]
		u, v, ok := m.lens.camera.Project(m.pose.Apply(x))
		if ok && u > 0 && v > 0 && u < float64(m.lens.width) && v < float64(m.lens.height) &&
			p.town.visible(m.pose.Center(), x, nil) {
			return true
		}
	}
	return false
}
