package reports

import (
	"math"
	"strconv"

	"gonum.org/v1/gonum/num/quat"
	"gonum.org/v1/gonum/spatial/r3"

	"locbench/kapture/geom"
)

// groundPlan looks at a scene from above. Scenes have no agreed upward axis, but
// people hold cameras upright: up is against the mean of the images' vertical
// axes, which point down. Lengths are in metres from the mean camera centre.
type groundPlan struct {
	origin, right, forward r3.Vec
}

// leastUpright is how much the cameras must agree on what is up, from 0 for
// not at all to 1; else up is the world's z.
const leastUpright = 0.2

func newGroundPlan(poses []geom.Pose) groundPlan {
	var g groundPlan
	var up r3.Vec
	for _, p := range poses {
		g.origin = r3.Add(g.origin, p.Center())
		up = r3.Sub(up, geom.Rotate(quat.Conj(p.R), r3.Vec{Y: 1}))
	}
	n := max(1, float64(len(poses)))
	g.origin = r3.Scale(1/n, g.origin)
	if r3.Norm(up) < leastUpright*n {
		up = r3.Vec{Z: 1}
	}
	up = r3.Unit(up)
	// To the right goes the axis of the world that is most level: x, if there are several.
	var best float64
	for _, axis := range []r3.Vec{{X: 1}, {Y: 1}, {Z: 1}} {
		level := r3.Sub(axis, r3.Scale(r3.Dot(axis, up), up))
		if l := r3.Norm(level); l > best+1e-6 {
			best, g.right = l, r3.Scale(1/l, level)
		}
	}
	g.forward = r3.Cross(up, g.right)
	return g
}

// spot is a camera on the plan: metres to the right and forward, and the
// direction that it looks to, degrees from the right counter-clockwise. nil: not known.
type spot []float64

// at returns where a camera is.
func (g groundPlan) at(p geom.Pose) spot {
	c := r3.Sub(p.Center(), g.origin)
	view := geom.Rotate(quat.Conj(p.R), r3.Vec{Z: 1})
	heading := math.Atan2(r3.Dot(view, g.forward), r3.Dot(view, g.right)) * 180 / math.Pi
	return spot{r3.Dot(c, g.right), r3.Dot(c, g.forward), math.Round(heading)}
}

// MarshalJSON implements [json.Marshaler]: millimetres are enough for a drawing.
func (p spot) MarshalJSON() ([]byte, error) {
	b := []byte{'['}
	for i, v := range p {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendFloat(b, math.Round(v*1000)/1000, 'f', -1, 64)
	}
	return append(b, ']'), nil
}
