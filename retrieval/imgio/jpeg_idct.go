package imgio

// Fixed-point constants of the inverse DCT, times 2¹³: sums and differences of
// √2·cos(kπ/16) as in the algorithm of Loeffler, Ligtenberg and Moschytz,
// "Practical fast 1-D DCT algorithms with 11 multiplications", ICASSP 1989.
// They, and the places where it rounds, are those of libjpeg's "islow".
const (
	fix0298 = 2446
	fix0390 = 3196
	fix0541 = 4433
	fix0765 = 6270
	fix0899 = 7373
	fix1175 = 9633
	fix1501 = 12299
	fix1847 = 15137
	fix1961 = 16069
	fix2053 = 16819
	fix2562 = 20995
	fix3072 = 25172

	dctBits  = 13 // fraction bits of the constants
	passBits = 2  // fraction bits kept between the passes
)

// inverseDCT turns dequantised coefficients in natural order into 8×8 samples
// at dst. Bit i of columns is set if column i has a coefficient below its first
// row. The results of the shortcuts are those of the full sums.
func inverseDCT(dst []byte, stride int, block *[64]int32, columns uint8) {
	if columns == 0 && block[1]|block[2]|block[3]|block[4]|block[5]|block[6]|block[7] == 0 {
		const shift = passBits + 3
		flat(dst, stride, clampSample((block[0]<<passBits+1<<(shift-1))>>shift))
		return
	}
	for i := range 8 {
		if columns>>i&1 == 0 {
			if dc := block[i] << passBits; dc != 0 {
				for j := i; j < 64; j += 8 {
					block[j] = dc
				}
			}
			continue
		}
		const shift = dctBits - passBits
		c := block[i : i+57 : i+57]
		c[0], c[8], c[16], c[24], c[32], c[40], c[48], c[56] = inverseDCT8(
			c[0], c[8], c[16], c[24], c[32], c[40], c[48], c[56], 1<<(shift-1), shift)
	}
	for y := range 8 {
		const shift = dctBits + passBits + 3
		r := (*[8]int32)(block[8*y:])
		d := (*[8]byte)(dst[y*stride:])
		a0, a1, a2, a3, a4, a5, a6, a7 := inverseDCT8(r[0], r[1], r[2], r[3], r[4], r[5], r[6], r[7], 1<<(shift-1), shift)
		d[0], d[1], d[2], d[3] = clampSample(a0), clampSample(a1), clampSample(a2), clampSample(a3)
		d[4], d[5], d[6], d[7] = clampSample(a4), clampSample(a5), clampSample(a6), clampSample(a7)
	}
}

// inverseDCT8 is the transform of one row or column; its results lose shift
// bits after half is added.
func inverseDCT8(x0, x1, x2, x3, x4, x5, x6, x7, half int32, shift uint8) (y0, y1, y2, y3, y4, y5, y6, y7 int32) {
	z := (x2 + x6) * fix0541
	t2, t3 := z-x6*fix1847, z+x2*fix0765
	t0, t1 := (x0+x4)<<dctBits+half, (x0-x4)<<dctBits+half
	e0, e3, e1, e2 := t0+t3, t0-t3, t1+t2, t1-t2

	z5 := (x7 + x3 + x5 + x1) * fix1175
	z1, z2 := (x7+x1)*-fix0899, (x5+x3)*-fix2562
	z3, z4 := z5-(x7+x3)*fix1961, z5-(x5+x1)*fix0390
	o0 := x1*fix1501 + z1 + z4
	o1 := x3*fix3072 + z2 + z3
	o2 := x5*fix2053 + z2 + z4
	o3 := x7*fix0298 + z1 + z3

	shift &= 31
	return (e0 + o0) >> shift, (e1 + o1) >> shift, (e2 + o2) >> shift, (e3 + o3) >> shift,
		(e3 - o3) >> shift, (e2 - o2) >> shift, (e1 - o1) >> shift, (e0 - o0) >> shift
}

func flat(dst []byte, stride int, v byte) {
	for y := range 8 {
		d := (*[8]byte)(dst[y*stride:])
		*d = [8]byte{v, v, v, v, v, v, v, v}
	}
}

// clampSample shifts a signed sample to 0 … 255.
func clampSample(v int32) byte {
	v += 128
	if uint32(v) < 256 {
		return byte(v)
	}
	return byte(^(v >> 31))
}
