package imgio

import (
	"errors"
	"fmt"
)

// scan is what a scan header says (T.81, B.2.3).
type scan struct {
	components  []*component
	first, last int  // coefficients in coded order
	refine      bool // whether bits were sent before
	low         int  // position of the bit that is sent
	blank       int  // blocks that are left of a run of ended ones
	left        int  // minimum coded units before the next restart
	restarts    byte // how many there were
}

// readScan reads a scan header and the data behind it.
func (d *jpegDecoder) readScan(s []byte) error {
	if d.components == nil {
		return errNoFrame
	}
	if len(s) < 1 || len(s) < 4+2*int(s[0]) {
		return errSegment
	}
	count, tail := int(s[0]), s[1+2*int(s[0]):]
	if count < 1 || count > len(d.components) {
		return fmt.Errorf("want a scan of 1 to %d components, found %d", len(d.components), count)
	}
	d.scan = scan{last: 63, components: d.scan.components[:0]}
	if d.progressive {
		d.scan.first, d.scan.last = int(tail[0]), int(tail[1])
		d.scan.refine, d.scan.low = tail[2]>>4 != 0, int(tail[2]&15)
		if err := d.scan.check(count, int(tail[2]>>4)); err != nil {
			return err
		}
	}
	blocks := 0
	for i := range count {
		c, err := d.scanComponent(s[1+2*i], s[2+2*i])
		if err != nil {
			return err
		}
		blocks += c.across * c.down
	}
	if count > 1 && blocks > 10 {
		return fmt.Errorf("want at most 10 blocks in a minimum coded unit, found %d", blocks)
	}
	return d.readBlocks()
}

// check refuses what a progressive scan must not be (T.81, G.1.1.1).
func (s *scan) check(components, high int) error {
	ac := s.first > 0 && s.first <= s.last && s.last <= 63 && components == 1
	dc := s.first == 0 && s.last == 0
	if !ac && !dc || s.low > 13 || s.refine && high != s.low+1 {
		return fmt.Errorf("want a scan of one bit, or of first bits, of DC or of one component's AC coefficients, found coefficients %d to %d of %d components, bits %d to %d",
			s.first, s.last, components, s.low, high)
	}
	return nil
}

// scanComponent adds a component with its tables to the scan.
func (d *jpegDecoder) scanComponent(id, tables byte) (*component, error) {
	for i := range d.components {
		c := &d.components[i]
		if c.id != id {
			continue
		}
		for _, other := range d.scan.components {
			if other == c {
				return nil, fmt.Errorf("want different components in a scan, found %d twice", id)
			}
		}
		if tables>>4 > 3 || tables&15 > 3 {
			return nil, fmt.Errorf("want Huffman tables 0 to 3, found %#02x", tables)
		}
		c.dc, c.ac = d.dc[tables>>4], d.ac[tables&15]
		needDC, needAC := d.scan.first == 0 && !d.scan.refine, d.scan.last > 0
		if needDC && c.dc == nil || needAC && c.ac == nil {
			return nil, fmt.Errorf("want Huffman tables %#02x before the scan, found none", tables)
		}
		if c.quant == nil {
			c.quant = d.quant[c.selector]
		}
		if c.quant == nil {
			return nil, fmt.Errorf("want quantization table %d before the scan, found none", c.selector)
		}
		d.scan.components = append(d.scan.components, c)
		return c, nil
	}
	return nil, fmt.Errorf("want a component of the frame, found %d", id)
}

// readBlocks reads the entropy-coded data of a scan.
func (d *jpegDecoder) readBlocks() error {
	w, h := d.mcusX, d.mcusY
	if cs := d.scan.components; len(cs) == 1 {
		w, h = cs[0].blocksX, cs[0].blocksY
	}
	d.reset()
	for y := range h {
		for x := range w {
			if err := d.readUnit(x, y); err != nil {
				return err
			}
		}
	}
	d.in.restart()
	return nil
}

// readUnit reads a minimum coded unit, and the restart marker before it if it
// is due.
func (d *jpegDecoder) readUnit(x, y int) error {
	if d.interval > 0 && d.scan.left == 0 {
		if err := d.restart(); err != nil {
			return err
		}
	}
	d.scan.left--
	ok := d.readUnitBlocks(x, y)
	if d.in.short() {
		return d.endOfData()
	}
	if !ok || d.in.badSym {
		return fmt.Errorf("want image data, found none of its codes in the unit at column %d, row %d", x, y)
	}
	return nil
}

// endOfData names what ended the data.
func (d *jpegDecoder) endOfData() error {
	if d.in.at+1 < len(d.in.data) {
		return fmt.Errorf("want more image data, found marker %#02x", d.in.data[d.in.at+1])
	}
	return errors.New("want more image data, found the end of the file")
}

// reset forgets what earlier blocks said.
func (d *jpegDecoder) reset() {
	d.in.restart()
	d.scan.blank, d.scan.left = 0, d.interval
	for _, c := range d.scan.components {
		c.predicted = 0
	}
}

// restart goes on behind the next restart marker.
func (d *jpegDecoder) restart() error {
	d.reset()
	want := markRST0 | d.scan.restarts&7
	d.scan.restarts++
	found, err := nextMarker(d)
	if err != nil {
		return d.endOfData()
	}
	if found != want {
		return fmt.Errorf("want restart marker %#02x, found marker %#02x", want, found)
	}
	return nil
}

// readUnitBlocks reads one block of a single component, or of each as many as
// its sampling factors say.
func (d *jpegDecoder) readUnitBlocks(x, y int) bool {
	cs := d.scan.components
	if len(cs) == 1 {
		return d.readBlock(cs[0], x, y)
	}
	for _, c := range cs {
		for i := range c.across * c.down {
			if !d.readBlock(c, x*c.across+i%c.across, y*c.down+i/c.across) {
				return false
			}
		}
	}
	return true
}

func (d *jpegDecoder) readBlock(c *component, x, y int) bool {
	if !d.progressive {
		return d.sequential(c, x, y)
	}
	coefs := (*[64]int16)(c.coefs[64*(y*c.blocksRow+x):])
	switch s := &d.scan; {
	case s.first == 0 && !s.refine:
		return d.firstDC(c, coefs)
	case s.first == 0:
		coefs[0] |= int16(d.in.take(1) << s.low)
		return true
	case !s.refine:
		return d.firstAC(c.ac, coefs)
	default:
		return d.refineAC(c.ac, coefs)
	}
}

// difference reads a DC coefficient's (T.81, F.2.2.1).
func (d *jpegDecoder) difference(h *huffman) (int32, bool) {
	size := int(d.in.symbol(h))
	if size == 0 {
		return 0, true
	}
	if size > 16 {
		return 0, false
	}
	return extend(d.in.take(size), size), true
}

// sequential reads a block and transforms it (T.81, F.2.2).
func (d *jpegDecoder) sequential(c *component, x, y int) bool {
	block, in := &d.block, &d.in
	*block = [64]int32{}
	diff, ok := d.difference(c.dc)
	c.predicted += diff
	block[0] = int32(int16(c.predicted)) * int32(c.quant[0])
	var columns uint8
	bits, n := in.bits, in.n
	for k := 1; k < 64; k++ {
		if n < 32 {
			in.bits, in.n = bits, n
			in.refill()
			bits, n = in.bits, in.n
		}
		e := c.ac.coefficients[bits>>(64-fastBits)]
		if e == 0 {
			in.bits, in.n = bits, n
			e = in.coefficient(c.ac)
			bits, n = in.bits, in.n
		} else {
			bits <<= e & 63
			n -= int(e & 63)
		}
		v := e >> 16
		if v == 0 && e>>8 == 0 {
			break // the block ends
		}
		k += int(e >> 8 & 15)
		if k > 63 {
			ok = false
			break
		}
		at := zigzag[k] & 63
		block[at] = v * int32(c.quant[at])
		if at >= 8 {
			columns |= 1 << (at & 7)
		}
	}
	in.bits, in.n = bits, n
	inverseDCT(c.samples(x, y), c.stride, block, columns)
	return ok
}

// coefficient reads one that is in no look-up table; the result is as those
// in the table, with 15 zeros and a zero for a run of 16.
func (r *bitReader) coefficient(h *huffman) int32 {
	symbol := r.symbol(h)
	size := int(symbol & 15)
	if size == 0 && symbol != 0xf0 {
		return 0
	}
	if size == 0 {
		return 15 << 8
	}
	return extend(r.take(size), size)<<16 | int32(symbol>>4)<<8
}
