package imgio

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"os"
)

// OpenUpright reads the image in a file as [Open] does and turns it the way that
// its EXIF orientation says, as Pillow's ImageOps.exif_transpose. A file without
// the tag, or with one that cannot be read, is left as it is. The tag is looked
// for in JPEG, PNG, WebP and TIFF files.
func OpenUpright(path string) (*Image, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open image: %w", err)
	}
	defer f.Close()
	m, err := Decode(f, path)
	if err != nil {
		return nil, err
	}
	turn := orientation(f)
	if turn < 2 {
		return m, nil
	}
	return m.turned(turn), nil
}

// exifReach is how far into a file the tag is looked for: it precedes the
// pixels but in WebP, where it may follow them.
const exifReach = 1 << 20

// orientation returns the EXIF orientation, 1 to 8, or 0.
func orientation(f *os.File) int {
	start := make([]byte, exifReach)
	n, err := f.ReadAt(start, 0)
	if err != nil && err != io.EOF {
		return 0
	}
	start = start[:n]
	switch {
	case bytes.HasPrefix(start, []byte("II*\x00")), bytes.HasPrefix(start, []byte("MM\x00*")):
		return tiffOrientation(start)
	case bytes.HasPrefix(start, []byte("\xff\xd8")):
		return tiffOrientation(jpegExif(start[2:]))
	case bytes.HasPrefix(start, []byte("\x89PNG\r\n\x1a\n")):
		return tiffOrientation(chunk(start[8:], "eXIf", 4, binary.BigEndian))
	case bytes.HasPrefix(start, []byte("RIFF")) && n > 12:
		return tiffOrientation(bytes.TrimPrefix(chunk(start[12:], "EXIF", 0, binary.LittleEndian), []byte("Exif\x00\x00")))
	}
	return 0
}

// jpegExif returns the TIFF structure in a JPEG's first Exif segment.
func jpegExif(b []byte) []byte {
	for len(b) >= 4 && b[0] == 0xff && b[1] != 0xda { // start of scan
		size := int(binary.BigEndian.Uint16(b[2:]))
		if size < 2 || size+2 > len(b) {
			return nil
		}
		if exif, ok := bytes.CutPrefix(b[4:size+2], []byte("Exif\x00\x00")); ok && b[1] == 0xe1 {
			return exif
		}
		b = b[size+2:]
	}
	return nil
}

// chunk returns the first chunk of that name in a PNG, whose chunks have their
// length first and a checksum of 4 bytes behind, or in a RIFF file, whose
// chunks have their name first and even lengths.
func chunk(b []byte, name string, checksum int, order binary.ByteOrder) []byte {
	for len(b) >= 8 {
		kind, length := b[:4], order.Uint32(b[4:])
		pad := length & 1
		if checksum > 0 {
			kind, length, pad = b[4:8], order.Uint32(b), uint32(checksum)
		}
		if uint64(length)+uint64(pad)+8 > uint64(len(b)) {
			return nil
		}
		if string(kind) == name {
			return b[8 : 8+length]
		}
		b = b[8+length+pad:]
	}
	return nil
}

// tiffOrientation reads tag 0x112 of the first directory.
func tiffOrientation(b []byte) int {
	if len(b) < 8 {
		return 0
	}
	var order binary.ByteOrder = binary.LittleEndian
	if b[0] == 'M' {
		order = binary.BigEndian
	}
	at := uint64(order.Uint32(b[4:]))
	if at+2 > uint64(len(b)) {
		return 0
	}
	b = b[at:]
	entries := int(order.Uint16(b))
	for b = b[2:]; entries > 0 && len(b) >= 12; entries, b = entries-1, b[12:] {
		const orientationTag, short = 0x112, 3
		if order.Uint16(b) != orientationTag || order.Uint16(b[2:]) != short {
			continue
		}
		if v := int(order.Uint16(b[8:])); v <= 8 {
			return v
		}
	}
	return 0
}

// turned undoes an EXIF orientation from 2 to 8; from 5 on rows become columns.
func (m *Image) turned(orientation int) *Image {
	out := New(m.W, m.H)
	if orientation >= 5 {
		out = New(m.H, m.W)
	}
	w, h := m.W-1, m.H-1
	// source returns the pixel of m that lands at (x, y).
	source := map[int]func(x, y int) (int, int){
		2: func(x, y int) (int, int) { return w - x, y },
		3: func(x, y int) (int, int) { return w - x, h - y },
		4: func(x, y int) (int, int) { return x, h - y },
		5: func(x, y int) (int, int) { return y, x },
		6: func(x, y int) (int, int) { return y, h - x },
		7: func(x, y int) (int, int) { return w - y, h - x },
		8: func(x, y int) (int, int) { return w - y, x },
	}[orientation]
	for y := range out.H {
		row := out.row(y)
		for x := range out.W {
			sx, sy := source(x, y)
			copy(row[3*x:3*x+3], m.Pix[3*(sy*m.W+sx):])
		}
	}
	return out
}
