package imgio

import (
	"encoding/binary"
	"hash/crc32"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// tiffTag is a TIFF structure with an orientation and a tag before it.
func tiffTag(order binary.AppendByteOrder, orientation uint16) []byte {
	b := []byte("II*\x00")
	if order == binary.AppendByteOrder(binary.BigEndian) {
		b = []byte("MM\x00*")
	}
	b = order.AppendUint32(b, 8)
	b = order.AppendUint16(b, 2)
	for tag, v := range []uint16{0x10f, orientation} {
		b = order.AppendUint16(b, []uint16{0x10f, 0x112}[tag])
		b = order.AppendUint16(b, 3)
		b = order.AppendUint32(b, 1)
		b = order.AppendUint16(order.AppendUint16(b, v), 0)
	}
	return order.AppendUint32(b, 0)
}

// withExif puts an Exif segment or chunk into the JPEG or PNG.
func withExif(data, tiff []byte) []byte {
	if data[0] == 0xff {
		segment := append([]byte("Exif\x00\x00"), tiff...)
		head := binary.BigEndian.AppendUint16([]byte{0xff, 0xe1}, uint16(len(segment)+2))
		return slices.Concat(data[:2], head, segment, data[2:])
	}
	const afterHeader = 8 + 8 + 13 + 4
	named := append([]byte("eXIf"), tiff...)
	c := slices.Concat(binary.BigEndian.AppendUint32(nil, uint32(len(tiff))), named, binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE(named)))
	return slices.Concat(data[:afterHeader], c, data[afterHeader:])
}

func TestOpenUpright(t *testing.T) {
	for _, name := range []string{"sample2x2.jpg", "scene.png"} {
		for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
			for o := range uint16(10) {
				path := filepath.Join(t.TempDir(), name)
				if err := os.WriteFile(path, withExif(read(t, "testdata/"+name), tiffTag(order, o)), 0o644); err != nil {
					t.Fatal(err)
				}
				plain, err := Open(path)
				if err != nil {
					t.Fatal(err)
				}
				got, err := OpenUpright(path)
				if err != nil {
					t.Fatal(err)
				}
				checkTurned(t, plain, got, int(o))
			}
		}
	}
}

// checkTurned follows the corners, which EXIF's definition names: the 0th row
// and column of the stored image lie at the top left, top right, bottom right,
// bottom left, left top, right top, right bottom, left bottom.
func checkTurned(t *testing.T, m, got *Image, orientation int) {
	t.Helper()
	if orientation < 2 || orientation > 8 {
		if got.W != m.W || !slices.Equal(got.Pix, m.Pix) {
			t.Errorf("orientation %d: the image was changed", orientation)
		}
		return
	}
	if swapped := got.W == m.H && got.H == m.W; swapped != (orientation >= 5) {
		t.Fatalf("orientation %d: %d×%d became %d×%d", orientation, m.W, m.H, got.W, got.H)
	}
	x0 := []int{0, 0, got.W - 1, got.W - 1, 0, 0, got.W - 1, got.W - 1, 0}[orientation]
	y0 := []int{0, 0, 0, got.H - 1, got.H - 1, 0, 0, got.H - 1, got.H - 1}[orientation]
	for y := range got.H {
		for x := range got.W {
			dx, dy := max(x-x0, x0-x), max(y-y0, y0-y) // columns and rows of the stored image
			if orientation >= 5 {
				dx, dy = dy, dx
			}
			if !slices.Equal(got.row(y)[3*x:3*x+3], m.row(dy)[3*dx:3*dx+3]) {
				t.Fatalf("orientation %d: pixel (%d, %d) is not (%d, %d)", orientation, x, y, dx, dy)
			}
		}
	}
}

func FuzzOrientation(f *testing.F) {
	f.Add(tiffTag(binary.LittleEndian, 6), []byte("\xff\xe1\x00\x10Exif\x00\x00"))
	f.Add([]byte("MM\x00*\xff\xff\xff\xff"), []byte("\x00\x00\x00\x02eXIfII"))
	f.Fuzz(func(t *testing.T, tiff, file []byte) {
		if o := tiffOrientation(tiff); o < 0 || o > 8 {
			t.Errorf("orientation %d", o)
		}
		jpegExif(file)
		chunk(file, "eXIf", 4, binary.BigEndian)
		chunk(file, "EXIF", 0, binary.LittleEndian)
	})
}
