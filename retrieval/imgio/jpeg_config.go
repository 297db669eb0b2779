package imgio

import (
	"bufio"
	"encoding/binary"
	"image"
	"image/color"
	"io"
)

// Markers, the byte after 0xff (T.81, table B.1).
const (
	markSOF0  = 0xc0 // baseline
	markSOF1  = 0xc1 // extended sequential
	markSOF2  = 0xc2 // progressive
	markDHT   = 0xc4
	markJPG   = 0xc8
	markDAC   = 0xcc
	markSOF15 = 0xcf
	markRST0  = 0xd0
	markRST7  = 0xd7
	markSOI   = 0xd8
	markEOI   = 0xd9
	markSOS   = 0xda
	markDQT   = 0xdb
	markDNL   = 0xdc
	markDRI   = 0xdd
	markAPP0  = 0xe0
	markAPP14 = 0xee
	markTEM   = 0x01
)

// isFrame says whether a marker starts a frame header, of whatever process.
func isFrame(marker byte) bool {
	return marker >= markSOF0 && marker <= markSOF15 && marker != markDHT && marker != markJPG && marker != markDAC
}

// isBare says whether nothing belongs to a marker.
func isBare(marker byte) bool {
	return marker >= markRST0 && marker <= markSOI || marker == markTEM
}

// jpegConfig reads a JPEG up to its size.
func jpegConfig(r io.Reader) (image.Config, error) {
	in := bufio.NewReader(r)
	for {
		marker, err := nextMarker(in)
		if err != nil {
			return image.Config{}, err
		}
		if isBare(marker) {
			continue
		}
		var head [7]byte // length, precision, height, width
		if marker == markEOI || marker == markSOS {
			return image.Config{}, errNoFrame
		}
		if !isFrame(marker) {
			_, err = io.ReadFull(in, head[:2])
			if err == nil {
				_, err = in.Discard(max(int(binary.BigEndian.Uint16(head[:]))-2, 0))
			}
		} else if _, err = io.ReadFull(in, head[:]); err == nil {
			height, width := binary.BigEndian.Uint16(head[3:]), binary.BigEndian.Uint16(head[5:])
			return image.Config{ColorModel: color.NRGBAModel, Width: int(width), Height: int(height)}, nil
		}
		if err != nil {
			return image.Config{}, err
		}
	}
}

// nextMarker skips fill bytes, and what else is no marker.
func nextMarker(r io.ByteReader) (byte, error) {
	var before byte
	for {
		b, err := r.ReadByte()
		if err != nil {
			return 0, err
		}
		if before == 0xff && b != 0 && b != 0xff {
			return b, nil
		}
		before = b
	}
}
