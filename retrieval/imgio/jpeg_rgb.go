package imgio

// colours says what the components of a JPEG are.
type colours int

const (
	grey colours = iota
	rgbColours
	ycc
	cmyk
	ycck
)

// colours follows libjpeg: JFIF is YCbCr, an Adobe segment says it, and without
// both the components' names do.
func (d *jpegDecoder) colours() colours {
	id := func(i int) byte { return d.components[i].id }
	switch {
	case len(d.components) == 1:
		return grey
	case len(d.components) == 4 && d.adobe <= 0:
		return cmyk
	case len(d.components) == 4:
		return ycck
	case d.jfif:
		return ycc
	case d.adobe == 0, d.adobe < 0 && id(0) == 'R' && id(1) == 'G' && id(2) == 'B':
		return rgbColours
	}
	return ycc
}

// rgb converts the planes. Inks are stored inverted, as Adobe's programs do and
// Pillow expects.
func (d *jpegDecoder) rgb() *Image {
	out := New(d.w, d.h)
	kind := d.colours()
	var rows [4][]byte
	for y := range d.h {
		for i := range d.components {
			rows[i] = d.components[i].row(y)[:d.w]
		}
		dst := out.row(y)
		switch kind {
		case grey:
			weave(dst, rows[0], rows[0], rows[0])
		case rgbColours:
			weave(dst, rows[0], rows[1], rows[2])
		case ycc:
			yccRow(dst, rows[0], rows[1], rows[2])
		case cmyk:
			weave(dst, rows[0], rows[1], rows[2])
			for i := range dst {
				dst[i] = ^dst[i]
			}
			darken(dst, rows[3])
		case ycck:
			yccRow(dst, rows[0], rows[1], rows[2])
			darken(dst, rows[3])
		}
	}
	return out
}

// weave makes pixels of three planes.
func weave(dst, r, g, b []byte) {
	n := len(dst) / 3
	r, g, b = r[:n], g[:n], b[:n]
	for i := range r {
		d := dst[3*i : 3*i+3 : 3*i+3]
		d[0], d[1], d[2] = r[i], g[i], b[i]
	}
}

// darken turns a row of inks into colours, given the light that black leaves.
func darken(row, light []byte) {
	for x, l := range light {
		p := row[3*x : 3*x+3 : 3*x+3]
		for c, ink := range p {
			p[c] = withInk(int(ink), int(l))
		}
	}
}

// withInk is Pillow's: a colour is the light that black leaves, less its share
// of ink, with a division by 255 that rounds.
func withInk(ink, light int) byte {
	t := ink*light + 128
	return byte(light - ((t>>8)+t)>>8)
}
