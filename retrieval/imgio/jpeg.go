package imgio

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// maxJPEG is the size of a file that is refused; 200 megapixels take less.
const maxJPEG = 1 << 30

var errNoFrame = errors.New("want a frame header before the image data, found none")

// decodeJPEG decodes baseline, extended sequential and progressive JPEGs of 8
// bits with Huffman coding (ITU-T T.81). The samples are those of libjpeg.
func decodeJPEG(r io.Reader) (*Image, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxJPEG+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxJPEG {
		return nil, fmt.Errorf("want a JPEG of at most %d bytes, found more", maxJPEG)
	}
	d := &jpegDecoder{}
	d.in.data = data
	if err := d.decode(); err != nil {
		return nil, fmt.Errorf("byte %d: %w", d.in.at, err)
	}
	return d.rgb(), nil
}

// jpegDecoder holds what the segments before a scan say.
type jpegDecoder struct {
	in                 bitReader
	progressive        bool
	w, h               int // pixels
	components         []component
	maxAcross, maxDown int // the largest sampling factors
	mcusX              int // minimum coded units of an interleaved scan
	mcusY              int
	quant              [4]*[64]uint16 // in natural order
	dc, ac             [4]*huffman
	interval           int // minimum coded units between restarts, or 0
	jfif               bool
	adobe              int // colour transform of the Adobe segment, or -1
	scan               scan
	block              [64]int32
}

// component is one of the image's planes.
type component struct {
	plane
	id        byte
	across    int // sampling factors
	down      int
	selector  byte
	quant     *[64]uint16 // of the component's first scan
	blocksX   int         // in a scan of this component only
	blocksY   int
	blocksRow int     // in memory: whole minimum coded units
	coefs     []int16 // of a progressive image: blocks in natural order
	dc, ac    *huffman
	predicted int32
}

// ReadByte reads a byte between segments.
func (d *jpegDecoder) ReadByte() (byte, error) {
	if d.in.at >= len(d.in.data) {
		return 0, io.ErrUnexpectedEOF
	}
	d.in.at++
	return d.in.data[d.in.at-1], nil
}

// decode reads all segments to the end of the image.
func (d *jpegDecoder) decode() error {
	d.adobe = -1
	for {
		marker, err := nextMarker(d)
		if err != nil {
			return errors.New("the file ends before the image does")
		}
		if marker == markEOI {
			return d.finish()
		}
		if isBare(marker) {
			continue
		}
		start := d.in.at - 2
		segment, err := d.segment()
		if err != nil {
			return err
		}
		if err := d.read(marker, segment); err != nil {
			if marker != markSOS {
				d.in.at = start // for the message
			}
			return err
		}
	}
}

// segment returns the bytes of a segment without its length.
func (d *jpegDecoder) segment() ([]byte, error) {
	rest := d.in.data[d.in.at:]
	if len(rest) < 2 {
		return nil, errors.New("the file ends before the image does")
	}
	n := int(binary.BigEndian.Uint16(rest))
	if n < 2 || n > len(rest) {
		return nil, fmt.Errorf("want a segment of 2 to %d bytes, found %d", len(rest), n)
	}
	d.in.at += n
	return rest[2:n], nil
}

func (d *jpegDecoder) read(marker byte, s []byte) error {
	switch {
	case marker == markDQT:
		return d.readQuant(s)
	case marker == markDHT:
		return d.readHuffman(s)
	case marker == markDRI:
		if len(s) < 2 {
			return errSegment
		}
		d.interval = int(binary.BigEndian.Uint16(s))
	case marker == markAPP0:
		d.jfif = d.jfif || len(s) >= 14 && string(s[:5]) == "JFIF\x00"
	case marker == markAPP14:
		if len(s) >= 12 && string(s[:5]) == "Adobe" {
			d.adobe = int(s[11])
		}
	case isFrame(marker):
		return d.readFrame(marker, s)
	case marker == markSOS:
		return d.readScan(s)
	case marker == markDAC:
		return errors.New("want Huffman coding, found arithmetic coding")
	case marker == markDNL:
		return errors.New("want the height in the frame header, found it behind the image data")
	}
	return nil
}

var errSegment = errors.New("want a longer segment, found its end")

// zigzag is the natural index of each coefficient in coded order (T.81, figure
// A.6).
var zigzag = [64]uint8{
	0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5,
	12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
	35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51,
	58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
}

// readQuant reads quantization tables of 8 or 16 bits.
func (d *jpegDecoder) readQuant(s []byte) error {
	for len(s) > 0 {
		wide, table := int(s[0]>>4), s[0]&15
		if wide > 1 || table > 3 {
			return fmt.Errorf("want a quantization table 0 to 3 of 8 or 16 bits, found %#02x", s[0])
		}
		s = s[1:]
		if len(s) < 64<<wide {
			return errSegment
		}
		q := new([64]uint16)
		for i, at := range zigzag {
			if wide == 1 {
				q[at] = binary.BigEndian.Uint16(s[2*i:])
			} else {
				q[at] = uint16(s[i])
			}
		}
		d.quant[table] = q
		s = s[64<<wide:]
	}
	return nil
}

func (d *jpegDecoder) readHuffman(s []byte) error {
	for len(s) > 0 {
		if len(s) < 17 {
			return errSegment
		}
		class, table, total := s[0]>>4, s[0]&15, 0
		for _, n := range s[1:17] {
			total += int(n)
		}
		if class > 1 || table > 3 || total > 256 {
			return fmt.Errorf("want a Huffman table 0 to 3 of up to 256 codes, found %#02x of %d", s[0], total)
		}
		if len(s) < 17+total {
			return errSegment
		}
		h := newHuffman(s[1:17], s[17:17+total])
		if h == nil {
			return errors.New("want a Huffman table with codes, found too many of a length")
		}
		if class == 0 {
			d.dc[table] = h
		} else {
			d.ac[table] = h
		}
		s = s[17+total:]
	}
	return nil
}
