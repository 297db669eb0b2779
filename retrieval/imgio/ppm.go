package imgio

import (
	"bufio"
	"errors"
	"fmt"
	"image"
	"image/color"
	"io"
	"math"
)

// netpbm is the header of a binary PGM (P5) or PPM (P6) file.
type netpbm struct {
	channels      int
	width, height int
	max           int // the sample that stands for white; above 255 they take two bytes
}

// readNetpbm reads the header: magic, width, height, largest sample, set apart
// by white space and comments, and one byte of white space after the last.
func readNetpbm(r *bufio.Reader) (netpbm, error) {
	var magic [2]byte
	if _, err := io.ReadFull(r, magic[:]); err != nil {
		return netpbm{}, err
	}
	h := netpbm{channels: 1}
	if magic[1] == '6' {
		h.channels = 3
	}
	for _, field := range []*int{&h.width, &h.height, &h.max} {
		var err error
		if *field, err = netpbmNumber(r); err != nil {
			return h, err
		}
	}
	if h.max < 1 || h.max > math.MaxUint16 {
		return h, fmt.Errorf("want a largest sample from 1 to %d, found %d", math.MaxUint16, h.max)
	}
	return h, nil
}

// netpbmNumber reads a number, and the byte after it.
func netpbmNumber(r *bufio.Reader) (int, error) {
	const most = 1 << 30
	n, digits, comment := 0, 0, false
	for {
		c, err := r.ReadByte()
		if err != nil {
			return 0, err
		}
		switch {
		case comment:
			comment = c != '\n' && c != '\r'
		case c >= '0' && c <= '9' && n < most/10:
			n, digits = 10*n+int(c-'0'), digits+1
		case c == '#' && digits == 0:
			comment = true
		case c != ' ' && (c < '\t' || c > '\r'):
			return 0, fmt.Errorf("want a number below %d in the header, found %q", most, c)
		case digits > 0:
			return n, nil
		}
	}
}

func netpbmConfig(r io.Reader) (image.Config, error) {
	h, err := readNetpbm(bufio.NewReader(r))
	return image.Config{ColorModel: color.NRGBAModel, Width: h.width, Height: h.height}, err
}

// decodeNetpbm scales samples to 8 bits as Pillow does: v/max·255, rounded to
// even.
func decodeNetpbm(r io.Reader) (image.Image, error) {
	in := bufio.NewReader(r)
	h, err := readNetpbm(in)
	if err != nil {
		return nil, err
	}
	if h.width < 1 || h.height < 1 {
		return nil, errors.New("want at least one pixel")
	}
	bytes := 1
	if h.max > math.MaxUint8 {
		bytes = 2
	}
	levels := make([]byte, 1<<(8*bytes))
	for v := range levels {
		levels[v] = byte(min(math.RoundToEven(float64(v)/float64(h.max)*255), 255))
	}
	m := image.NewNRGBA(image.Rect(0, 0, h.width, h.height))
	row := make([]byte, h.width*h.channels*bytes)
	for y := range h.height {
		if _, err := io.ReadFull(in, row); err != nil {
			return nil, err
		}
		dst := m.Pix[y*m.Stride:]
		for x := range h.width {
			for c := range 3 {
				at := (x*h.channels + min(c, h.channels-1)) * bytes
				v := int(row[at])
				if bytes == 2 {
					v = v<<8 | int(row[at+1])
				}
				dst[4*x+c] = levels[v]
			}
		}
	}
	return m, nil
}
