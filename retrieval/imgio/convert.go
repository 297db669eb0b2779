package imgio

import (
	"image"
	"image/color"
)

// From converts an image of the standard library: alpha is dropped, not applied.
func From(m image.Image) *Image { return toRGB(m) }

// toRGB converts a decoded image as Pillow's convert("RGB") does.
func toRGB(m image.Image) *Image {
	b := m.Bounds()
	out := New(b.Dx(), b.Dy())
	switch m := m.(type) {
	case *image.Gray:
		grayToRGB(out, m.Pix, m.Stride, 1)
	case *image.Gray16:
		grayToRGB(out, m.Pix, m.Stride, 2) // big-endian: the high byte is first
	case *image.RGBA:
		pickRGB(out, m.Pix, m.Stride, 1)
	case *image.NRGBA:
		pickRGB(out, m.Pix, m.Stride, 1)
	case *image.RGBA64:
		pickRGB(out, m.Pix, m.Stride, 2)
	case *image.NRGBA64:
		pickRGB(out, m.Pix, m.Stride, 2)
	case *image.Paletted:
		paletteToRGB(out, m)
	default:
		anyToRGB(out, m)
	}
	return out
}

func grayToRGB(out *Image, pix []byte, stride, bytes int) {
	for y := range out.H {
		src, dst := pix[y*stride:], out.row(y)
		for x := range out.W {
			v := src[x*bytes]
			dst[3*x], dst[3*x+1], dst[3*x+2] = v, v, v
		}
	}
}

// pickRGB takes the first three of four samples of the given number of bytes,
// and of each sample the first byte.
func pickRGB(out *Image, pix []byte, stride, bytes int) {
	for y := range out.H {
		src, dst := pix[y*stride:], out.row(y)
		for x := range out.W {
			s := src[4*bytes*x : 4*bytes*x+4*bytes]
			dst[3*x], dst[3*x+1], dst[3*x+2] = s[0], s[bytes], s[2*bytes]
		}
	}
}

func paletteToRGB(out *Image, m *image.Paletted) {
	var table [256][3]byte // indices beyond the palette are black
	for i, c := range m.Palette {
		if i < len(table) {
			table[i] = rgb(c)
		}
	}
	for y := range out.H {
		src, dst := m.Pix[y*m.Stride:], out.row(y)
		for x := range out.W {
			copy(dst[3*x:3*x+3], table[src[x]][:])
		}
	}
}

func anyToRGB(out *Image, m image.Image) {
	b := m.Bounds()
	for y := range out.H {
		dst := out.row(y)
		for x := range out.W {
			c := rgb(m.At(b.Min.X+x, b.Min.Y+y))
			copy(dst[3*x:3*x+3], c[:])
		}
	}
}

// rgb returns a colour without its alpha, not multiplied by it.
func rgb(c color.Color) [3]byte {
	n := color.NRGBAModel.Convert(c).(color.NRGBA)
	return [3]byte{n.R, n.G, n.B}
}

func (m *Image) row(y int) []byte { return m.Pix[3*m.W*y : 3*m.W*(y+1)] }
