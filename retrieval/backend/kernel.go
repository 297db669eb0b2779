package backend

import "unsafe"

// depth is how many features are summed in one chain before the chain is added
// to the score. It fixes the order of every sum, and so the bytes of every
// score, and it keeps a panel of queries (depth × 32 floats) in the first-level
// cache. Eight short chains of 256 are also more exact than one of 2,048.
const depth = 256

// kernel multiplies one tile: rows database rows by cols queries.
type kernel struct {
	name       string
	rows, cols int
	// tile computes c = a·b (first) or c += a·b over k ≤ depth features:
	// a[i*depth+p], b[p*cols+j], c[i*cols+j].
	tile func(k int, a, b, c *float32, first bool)
	// above sets bit j of masks[i] where c[i][j] > limit[j] and returns all of
	// them or-ed.
	above func(c, limit *float32, masks *uint32) uint32
	// beyond is above with two limits: bit j of masks[i] is set where c[i][j] >
	// cols[j] or c[i][j] > rows[i].
	beyond func(c, cols, rows *float32, masks *uint32) uint32
	// filter computes one tile of a convolution, of rows pixels by cols outputs.
	filter func(t *filterTile)
	// max3 sets dst to the largest of a, b and c, n a multiple of 8; nil: none.
	max3 func(dst, a, b, c *float32, n int)
}

// maxRows is the largest number of rows of a kernel.
const maxRows = 14

const portableRows, portableCols = 4, 8

// portable is the kernel without assembly.
func portable() kernel {
	return kernel{
		name: "portable", rows: portableRows, cols: portableCols,
		tile: tilePortable, above: abovePortable, beyond: beyondPortable, filter: filterPortable,
	}
}

func tilePortable(k int, a, b, c *float32, first bool) {
	left := unsafe.Slice(a, (portableRows-1)*depth+k)
	right := unsafe.Slice(b, k*portableCols)
	out := unsafe.Slice(c, portableRows*portableCols)
	for i := 0; i < portableRows; i += 2 {
		for j := 0; j < portableCols; j += 4 {
			tile2x4(left[i*depth:], right[j:], out[i*portableCols+j:], k, first)
		}
	}
}

// tile2x4 is as large as sixteen registers allow.
func tile2x4(a, b, c []float32, k int, first bool) {
	var s00, s01, s02, s03, s10, s11, s12, s13 float32
	x, y := a[:k], a[depth:][:k]
	for p := range x {
		w := b[p*portableCols:]
		w = w[:4]
		s00 += x[p] * w[0]
		s01 += x[p] * w[1]
		s02 += x[p] * w[2]
		s03 += x[p] * w[3]
		s10 += y[p] * w[0]
		s11 += y[p] * w[1]
		s12 += y[p] * w[2]
		s13 += y[p] * w[3]
	}
	sums := [2][4]float32{{s00, s01, s02, s03}, {s10, s11, s12, s13}}
	for i, row := range sums {
		for j, s := range row {
			if first {
				c[i*portableCols+j] = s
			} else {
				c[i*portableCols+j] += s
			}
		}
	}
}

func abovePortable(c, limit *float32, masks *uint32) uint32 {
	scores := unsafe.Slice(c, portableRows*portableCols)
	limits := unsafe.Slice(limit, portableCols)
	out := unsafe.Slice(masks, portableRows)
	var all uint32
	for i := range out {
		var m uint32
		for j, s := range scores[i*portableCols:][:portableCols] {
			if s > limits[j] {
				m |= 1 << j
			}
		}
		out[i] = m
		all |= m
	}
	return all
}

func beyondPortable(c, cols, rows *float32, masks *uint32) uint32 {
	scores := unsafe.Slice(c, portableRows*portableCols)
	colLimits := unsafe.Slice(cols, portableCols)
	rowLimits := unsafe.Slice(rows, portableRows)
	out := unsafe.Slice(masks, portableRows)
	var all uint32
	for i := range out {
		var m uint32
		for j, s := range scores[i*portableCols:][:portableCols] {
			if s > colLimits[j] || s > rowLimits[i] {
				m |= 1 << j
			}
		}
		out[i] = m
		all |= m
	}
	return all
}
