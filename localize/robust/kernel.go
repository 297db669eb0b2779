package robust

import "math"

// lanes is how many data a block holds: those of a vector of 512 bits.
const lanes = 8

// boundEvery is how many blocks are scored before the cost is held against the
// bound. A cost above it ends the tally.
const boundEvery = 16

// pointBlock holds correspondences of pixels and points, field by field.
type pointBlock struct {
	x, y, z        [lanes]float64
	w0, w1, w2, w3 [lanes]float64
	u, v           [lanes]float64 // target
}

// view is a projection [R | t], row by row; the first two rows are multiplied
// by the focal length where it is unknown.
type view [12]float64

// pack lays out the correspondences in blocks. The lanes behind the last one
// are outliers of every model.
func pack(points []correspondence) []pointBlock {
	blocks := make([]pointBlock, (len(points)+lanes-1)/lanes)
	for i := range len(blocks) * lanes {
		b, k := &blocks[i/lanes], i%lanes
		if i >= len(points) {
			b.u[k] = math.MaxFloat32
			continue
		}
		c := &points[i]
		b.x[k], b.y[k], b.z[k] = c.x.X, c.x.Y, c.x.Z
		b.w0[k], b.w1[k], b.w2[k], b.w3[k] = c.w[0], c.w[1], c.w[2], c.w[3]
		b.u[k], b.v[k] = c.target[0], c.target[1]
	}
	return blocks
}

// tallyPointsGeneric returns the cost of a model, the sum over all lanes of
// the squared error or the limit, and the number of inliers. It adds in the
// order of the vector kernel and with its fused products, so the results are the
// same to the last bit.
func tallyPointsGeneric(blocks []pointBlock, m *view, limit, bound float64) (cost float64, inliers int) {
	var sum [lanes]float64
	for i := range blocks {
		b := &blocks[i]
		for k := range lanes {
			x, y, z := b.x[k], b.y[k], b.z[k]
			px := math.FMA(m[0], x, math.FMA(m[1], y, math.FMA(m[2], z, m[3])))
			py := math.FMA(m[4], x, math.FMA(m[5], y, math.FMA(m[6], z, m[7])))
			pz := math.FMA(m[8], x, math.FMA(m[9], y, math.FMA(m[10], z, m[11])))
			inv := 1 / pz
			px *= inv
			py *= inv
			eu := math.FMA(b.w0[k], px, math.FMA(b.w1[k], py, -b.u[k]))
			ev := math.FMA(b.w2[k], px, math.FMA(b.w3[k], py, -b.v[k]))
			if d := math.FMA(eu, eu, ev*ev); pz > 0 && d < limit {
				sum[k] += d
				inliers++
			} else {
				sum[k] += limit
			}
		}
		if i%boundEvery == boundEvery-1 || i == len(blocks)-1 {
			if cost = add(&sum); cost > bound {
				return cost, 0
			}
		}
	}
	return cost, inliers
}

// add sums the lanes.
func add(s *[lanes]float64) float64 {
	return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]))
}

// matchBlock holds correspondences of two images, field by field.
type matchBlock struct {
	ax, ay, bx, by     [lanes]float64
	va0, va1, va2, va3 [lanes]float64
	vb0, vb1, vb2, vb3 [lanes]float64
}

// packMatches lays out matches in blocks. The lanes behind the last one have no
// error and no gradient: not a number, and outliers of every model.
func packMatches(matches []match) []matchBlock {
	blocks := make([]matchBlock, (len(matches)+lanes-1)/lanes)
	for i, m := range matches {
		b, k := &blocks[i/lanes], i%lanes
		b.ax[k], b.ay[k], b.bx[k], b.by[k] = m.a[0], m.a[1], m.b[0], m.b[1]
		b.va0[k], b.va1[k], b.va2[k], b.va3[k] = m.va[0], m.va[1], m.va[2], m.va[3]
		b.vb0[k], b.vb1[k], b.vb2[k], b.vb3[k] = m.vb[0], m.vb[1], m.vb[2], m.vb[3]
	}
	for i := len(matches); i < len(blocks)*lanes; i++ {
		blocks[i/lanes].ax[i%lanes] = math.NaN()
	}
	return blocks
}

// tallyMatchesGeneric is tallyPointsGeneric for Sampson errors; see [match].
func tallyMatchesGeneric(blocks []matchBlock, f *[9]float64, limit, bound float64) (cost float64, inliers int) {
	var sum [lanes]float64
	for i := range blocks {
		b := &blocks[i]
		for k := range lanes {
			ax, ay, bx, by := b.ax[k], b.ay[k], b.bx[k], b.by[k]
			l0 := math.FMA(f[0], ax, math.FMA(f[1], ay, f[2]))
			l1 := math.FMA(f[3], ax, math.FMA(f[4], ay, f[5]))
			l2 := math.FMA(f[6], ax, math.FMA(f[7], ay, f[8]))
			k0 := math.FMA(f[0], bx, math.FMA(f[3], by, f[6]))
			k1 := math.FMA(f[1], bx, math.FMA(f[4], by, f[7]))
			e := math.FMA(bx, l0, math.FMA(by, l1, l2))
			g0 := math.FMA(k0, b.va0[k], k1*b.va2[k])
			g1 := math.FMA(k0, b.va1[k], k1*b.va3[k])
			g2 := math.FMA(l0, b.vb0[k], l1*b.vb2[k])
			g3 := math.FMA(l0, b.vb1[k], l1*b.vb3[k])
			g := math.FMA(g0, g0, math.FMA(g1, g1, math.FMA(g2, g2, g3*g3)))
			if d := e * e / g; d < limit {
				sum[k] += d
				inliers++
			} else {
				sum[k] += limit
			}
		}
		if i%boundEvery == boundEvery-1 || i == len(blocks)-1 {
			if cost = add(&sum); cost > bound {
				return cost, 0
			}
		}
	}
	return cost, inliers
}
