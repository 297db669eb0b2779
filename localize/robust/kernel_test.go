package robust

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/spatial/r3"

	"locbench/kapture/geom"
	"locbench/localize/solver"
)

// TestTallies holds the kernels to the plain formulas, and those of vectors to
// those of scalars bit by bit.
func TestTallies(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 0))
	for _, n := range []int{1, 7, 8, 9, 64, 65, 200, 1000} {
		points, matches := randomData(rng, n)
		blocks, pairs := pack(points), packMatches(matches)
		pose := geom.Pose{R: geom.Exp(r3.Vec{X: 0.02, Y: -0.01, Z: 0.01}), T: r3.Vec{X: 0.1, Z: 0.3}}
		model := &placed{pose: pose, focal: 1.1}
		e := &poser{sensors: []sensor{{atRig: true}}, points: points}
		m := model.view(&sensor{atRig: true})
		f := solver.Essential(pose)
		const limit = 60 * 60
		padding := limit * float64(len(blocks)*lanes-n)
		var want, wantMatches float64
		var inliers, inlierMatches int
		r := geom.Matrix(pose.R)
		for i := range points {
			eu, ev, ok := e.residual(int32(i), &r, model)
			if d := eu*eu + ev*ev; ok && d < limit {
				want, inliers = want+d, inliers+1
			} else {
				want += limit
			}
			if d := matches[i].sampson(&f); d < limit {
				wantMatches, inlierMatches = wantMatches+d, inlierMatches+1
			} else {
				wantMatches += limit
			}
		}
		cost, k := tallyPoints(blocks, &m, limit, math.Inf(1))
		if k != inliers || math.Abs(cost-padding-want) > 1e-9*want {
			t.Errorf("%d points: cost %v, %d inliers, want %v, %d", n, cost-padding, k, want, inliers)
		}
		if c, kk := tallyPointsGeneric(blocks, &m, limit, math.Inf(1)); c != cost || kk != k {
			t.Errorf("%d points: scalars differ: %v, %d, %v, %d", n, c, kk, cost, k)
		}
		cost, k = tallyMatches(pairs, (*[9]float64)(&f), limit, math.Inf(1))
		if k != inlierMatches || math.Abs(cost-padding-wantMatches) > 1e-9*wantMatches {
			t.Errorf("%d matches: cost %v, %d inliers, want %v, %d", n, cost-padding, k, wantMatches, inlierMatches)
		}
		if c, kk := tallyMatchesGeneric(pairs, (*[9]float64)(&f), limit, math.Inf(1)); c != cost || kk != k {
			t.Errorf("%d matches: scalars differ: %v, %d, %v, %d", n, c, kk, cost, k)
		}
		if c, k := tallyPoints(blocks, &m, limit, 0); c <= 0 || k != 0 {
			t.Errorf("%d points: with a bound of 0 cost %v, %d inliers", n, c, k)
		}
	}
}

// randomData draws points about the axis, half of them with a wrong pixel, some
// behind the camera.
func randomData(rng *rand.Rand, n int) (points []correspondence, matches []match) {
	for range n {
		x := r3.Vec{X: 4 * rng.NormFloat64(), Y: 4 * rng.NormFloat64(), Z: 8 + 4*rng.NormFloat64()}
		w := [4]float64{1000, 3 * rng.NormFloat64(), 3 * rng.NormFloat64(), 1010}
		a := [2]float64{x.X / x.Z, x.Y / x.Z}
		if rng.IntN(2) == 0 {
			a[0] += 0.2 * rng.NormFloat64()
		}
		points = append(points, correspondence{x: x, w: w, target: [2]float64{w[0]*a[0] + w[1]*a[1], w[2]*a[0] + w[3]*a[1]}})
		v := [4]float64{1e-3, 1e-5 * rng.NormFloat64(), 1e-5 * rng.NormFloat64(), 1.1e-3}
		matches = append(matches, match{a: a, b: [2]float64{a[0] + 0.02*rng.NormFloat64(), a[1] + 0.02*rng.NormFloat64()}, va: v, vb: v})
	}
	return points, matches
}

func BenchmarkTally(b *testing.B) {
	points, matches := randomData(rand.New(rand.NewPCG(1, 0)), 1000)
	blocks, pairs := pack(points), packMatches(matches)
	m := (&placed{pose: geom.Identity(), focal: 1}).view(&sensor{atRig: true})
	f := solver.Essential(geom.Pose{R: geom.Identity().R, T: r3.Vec{X: 1}})
	b.Run("points", func(b *testing.B) {
		for b.Loop() {
			tallyPoints(blocks, &m, 64, math.Inf(1))
		}
	})
	b.Run("matches", func(b *testing.B) {
		for b.Loop() {
			tallyMatches(pairs, (*[9]float64)(&f), 64, math.Inf(1))
		}
	})
}
