package imgio

import "encoding/binary"

// fastBits is how many bits a look-up decodes at once; longer codes are rare.
const fastBits = 10

// huffman is a decoding table (T.81, annex C and F.2.2.3).
type huffman struct {
	// symbols maps the next bits to length<<8 | symbol, or 0 for longer codes.
	symbols [1 << fastBits]uint16
	// coefficients maps the next bits to a whole AC coefficient, code and value:
	// value<<16 | run<<8 | bits in all, or 0 if they are longer or no
	// coefficient. The end of a block has the value 0.
	coefficients [1 << fastBits]int32
	limit        [17]int32 // codes of a length are less than this
	offset       [17]int32 // index of a code's symbol, less the code
	values       []byte
}

// newHuffman builds a table from the number of codes of each length, 1 to 16,
// and their symbols. It returns nil if no code has such lengths.
func newHuffman(counts []byte, values []byte) *huffman {
	h := &huffman{values: values}
	code, index := int32(0), int32(0)
	for length := 1; length <= 16; length++ {
		n := int32(counts[length-1])
		if code+n > 1<<length {
			return nil
		}
		h.offset[length] = index - code
		if length <= fastBits {
			h.fill(code, length, values[index:index+n])
		}
		code, index = code+n, index+n
		h.limit[length] = code
		code <<= 1
	}
	return h
}

// fill enters the codes of one length, from code on.
func (h *huffman) fill(code int32, length int, symbols []byte) {
	rest := fastBits - length
	for i, symbol := range symbols {
		first := (int(code) + i) << rest
		for tail := range 1 << rest {
			at := first + tail
			h.symbols[at] = uint16(length)<<8 | uint16(symbol)
			size := int(symbol & 15)
			switch {
			case symbol == 0:
				h.coefficients[at] = int32(length)
			case size > 0 && size <= rest:
				v := extend(int32(tail>>(rest-size)), size)
				h.coefficients[at] = v<<16 | int32(symbol>>4)<<8 | int32(length+size)
			}
		}
	}
}

// extend gives the value of size bits: those that start with 0 are negative
// (T.81, figure F.12).
func extend(v int32, size int) int32 {
	if v < 1<<(size-1) {
		v -= 1<<size - 1
	}
	return v
}

// bitReader reads entropy-coded data. At a marker or the end of the data it
// goes on with zeros and counts them, so that only [bitReader.short] must be
// asked, once a while.
type bitReader struct {
	data   []byte
	at     int    // next byte
	bits   uint64 // from the highest on
	n      int    // how many are valid
	zeros  int    // how many of all that were added are not in the data
	badSym bool   // a code was not in its table
}

// refill makes at least 57 bits valid.
func (r *bitReader) refill() {
	if r.at+8 <= len(r.data) {
		x := binary.BigEndian.Uint64(r.data[r.at:])
		const low, high = 0x0101010101010101, 0x8080808080808080
		if (^x-low)&x&high == 0 { // no byte is 0xff
			r.bits |= x >> (r.n & 63)
			taken := (63 - r.n) >> 3
			r.at += taken
			r.n += 8 * taken
			return
		}
	}
	for r.n <= 56 {
		var b byte
		switch {
		case r.at < len(r.data) && r.data[r.at] != 0xff:
			b = r.data[r.at]
			r.at++
		case r.at+1 < len(r.data) && r.data[r.at+1] == 0:
			b = 0xff
			r.at += 2
		default:
			r.zeros += 8
		}
		r.bits |= uint64(b) << (56 - r.n)
		r.n += 8
	}
}

// short says whether more was read than there is.
func (r *bitReader) short() bool { return r.n < r.zeros }

// restart forgets the bits that are left.
func (r *bitReader) restart() { r.bits, r.n, r.zeros = 0, 0, 0 }

// take reads up to 16 bits.
func (r *bitReader) take(size int) int32 {
	if r.n < 16 {
		r.refill()
	}
	v := int32(r.bits >> 32 >> (32 - size))
	r.bits <<= size
	r.n -= size
	return v
}

// symbol reads a code; if it is in no table, 0 is returned and badSym is set.
func (r *bitReader) symbol(h *huffman) byte {
	if r.n < 16 {
		r.refill()
	}
	if e := h.symbols[r.bits>>(64-fastBits)]; e != 0 {
		r.bits <<= e >> 8
		r.n -= int(e >> 8)
		return byte(e)
	}
	for length := fastBits + 1; length <= 16; length++ {
		code := int32(r.bits >> (64 - length))
		if code < h.limit[length] {
			r.bits <<= length
			r.n -= length
			return h.values[code+h.offset[length]]
		}
	}
	r.badSym = true
	return 0
}
