package imgio

// firstDC reads the first bits of a DC coefficient (T.81, G.1.2.1).
func (d *jpegDecoder) firstDC(c *component, coefs *[64]int16) bool {
	diff, ok := d.difference(c.dc)
	c.predicted += diff
	coefs[0] = int16(c.predicted << d.scan.low)
	return ok
}

// firstAC reads the first bits of AC coefficients (T.81, G.1.2.2).
func (d *jpegDecoder) firstAC(h *huffman, coefs *[64]int16) bool {
	s := &d.scan
	if s.blank > 0 {
		s.blank--
		return true
	}
	for k := s.first; k <= s.last; k++ {
		symbol := d.in.symbol(h)
		run, size := int(symbol>>4), int(symbol&15)
		if size == 0 && run < 15 {
			s.blank = d.run(run) - 1
			return true
		}
		k += run
		if k > s.last {
			return false
		}
		if size > 0 {
			coefs[zigzag[k]] = int16(extend(d.in.take(size), size) << s.low)
		}
	}
	return true
}

// run reads how many blocks end here: 2ⁿ and n bits more.
func (d *jpegDecoder) run(n int) int { return 1<<n + int(d.in.take(n)) }

// refineAC reads one bit more of AC coefficients (T.81, G.1.2.3): of those that
// are not zero a bit each, between those that become ±1.
func (d *jpegDecoder) refineAC(h *huffman, coefs *[64]int16) bool {
	s := &d.scan
	k := s.first
	for s.blank == 0 && k <= s.last {
		symbol := d.in.symbol(h)
		run, size := int(symbol>>4), int(symbol&15)
		if size == 0 && run < 15 {
			s.blank = d.run(run)
			break
		}
		var v int16
		if size > 0 {
			if size > 1 {
				return false
			}
			v = 1 << s.low
			if d.in.take(1) == 0 {
				v = -v
			}
		}
		k = d.refine(coefs, k, run)
		if k > s.last {
			return v == 0
		}
		if v != 0 {
			coefs[zigzag[k]] = v
		}
		k++
	}
	if s.blank > 0 {
		d.refine(coefs, k, 64)
		s.blank--
	}
	return true
}

// refine reads the bits of the coefficients from k on that are not zero, and
// returns the place of the zero that follows the given number of others.
func (d *jpegDecoder) refine(coefs *[64]int16, k, zeros int) int {
	bit := int16(1) << d.scan.low
	for ; k <= d.scan.last; k++ {
		c := &coefs[zigzag[k]]
		switch {
		case *c == 0 && zeros == 0:
			return k
		case *c == 0:
			zeros--
		case d.in.take(1) == 1 && *c&bit == 0:
			if *c > 0 {
				*c += bit
			} else {
				*c -= bit
			}
		}
	}
	return k
}
