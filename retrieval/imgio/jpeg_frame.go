package imgio

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// readFrame reads a frame header (T.81, B.2.2) and makes room for the image.
func (d *jpegDecoder) readFrame(marker byte, s []byte) error {
	switch {
	case marker > markSOF2:
		return fmt.Errorf("want a baseline, extended or progressive JPEG with Huffman coding, found process SOF%d", marker-markSOF0)
	case d.components != nil:
		return errors.New("want one frame, found a second")
	case len(s) < 6:
		return errSegment
	case s[0] != 8:
		return fmt.Errorf("want samples of 8 bits, found %d", s[0])
	}
	d.progressive = marker == markSOF2
	d.h, d.w = int(binary.BigEndian.Uint16(s[1:])), int(binary.BigEndian.Uint16(s[3:]))
	count := int(s[5])
	switch {
	case d.w < 1 || d.h < 1 || d.w*d.h > MaxPixels:
		return fmt.Errorf("want an image of 1 to %d megapixels, found %d×%d", MaxPixels/1_000_000, d.w, d.h)
	case count != 1 && count != 3 && count != 4:
		return fmt.Errorf("want 1, 3 or 4 components, found %d", count)
	case len(s) < 6+3*count:
		return errSegment
	}
	components := make([]component, count)
	for i := range components {
		c, b := &components[i], s[6+3*i:]
		c.id, c.across, c.down, c.selector = b[0], int(b[1]>>4), int(b[1]&15), b[2]
		if c.across < 1 || c.across > 4 || c.down < 1 || c.down > 4 || c.selector > 3 {
			return fmt.Errorf("want sampling factors 1 to 4 and a quantization table 0 to 3, found %d×%d and %d", c.across, c.down, c.selector)
		}
		for _, other := range components[:i] {
			if other.id == c.id {
				return fmt.Errorf("want different components, found %d twice", c.id)
			}
		}
	}
	d.components = components
	return d.layOut()
}

// layOut computes the sizes of the planes and takes their memory, if the file is
// long enough to fill it.
func (d *jpegDecoder) layOut() error {
	for _, c := range d.components {
		d.maxAcross, d.maxDown = max(d.maxAcross, c.across), max(d.maxDown, c.down)
	}
	for _, c := range d.components {
		if d.maxAcross%c.across != 0 || d.maxDown%c.down != 0 {
			return fmt.Errorf("want sampling factors that divide %d×%d, found %d×%d", d.maxAcross, d.maxDown, c.across, c.down)
		}
	}
	d.mcusX, d.mcusY = ceilDiv(d.w, 8*d.maxAcross), ceilDiv(d.h, 8*d.maxDown)
	least := 0 // bits
	for i := range d.components {
		c := &d.components[i]
		c.sx, c.sy = d.maxAcross/c.across, d.maxDown/c.down
		c.w, c.h = ceilDiv(d.w, c.sx), ceilDiv(d.h, c.sy)
		c.blocksX, c.blocksY = ceilDiv(c.w, 8), ceilDiv(c.h, 8)
		c.blocksRow = d.mcusX * c.across
		least += c.blocksX * c.blocksY // a code each is the least
	}
	if have := len(d.in.data) - d.in.at; have < least/8 {
		return fmt.Errorf("want at least %d bytes of image data for %d×%d, found %d", least/8, d.w, d.h, have)
	}
	for i := range d.components {
		c := &d.components[i]
		blocks := c.blocksRow * d.mcusY * c.down
		if d.progressive {
			c.coefs = make([]int16, 64*blocks)
		} else {
			c.makeSamples(blocks)
		}
	}
	return nil
}

func (c *component) makeSamples(blocks int) {
	c.stride = 8 * c.blocksRow
	c.pix = make([]byte, 64*blocks)
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }

// finish makes the samples of a progressive image, and checks that none of the
// components is missing.
func (d *jpegDecoder) finish() error {
	if d.components == nil {
		return errNoFrame
	}
	for i := range d.components {
		c := &d.components[i]
		if c.quant == nil {
			return fmt.Errorf("want a scan of component %d, found the end of the image", c.id)
		}
		if d.progressive {
			c.makeSamples(len(c.coefs) / 64)
			d.transform(c)
			c.coefs = nil
		}
	}
	return nil
}

// transform computes all samples of a component from its coefficients.
func (d *jpegDecoder) transform(c *component) {
	for at := 0; at < len(c.coefs); at += 64 {
		var columns uint8
		coefs := (*[64]int16)(c.coefs[at:])
		for i, v := range coefs {
			d.block[i] = int32(v) * int32(c.quant[i])
			if v != 0 && i >= 8 {
				columns |= 1 << (i & 7)
			}
		}
		inverseDCT(c.samples(at/64%c.blocksRow, at/64/c.blocksRow), c.stride, &d.block, columns)
	}
}

// samples returns the place of a block.
func (c *component) samples(x, y int) []byte { return c.pix[8*(y*c.stride+x):] }
