package imgio

import (
	"bytes"
	"slices"
	"testing"
)

// TestNetpbm decodes files by hand; values are those of Pillow's
// round(v/max·255).
func TestNetpbm(t *testing.T) {
	tests := []struct {
		name, file string
		want       []byte
	}{
		{"P6", "P6\n# made by hand\n2 1\n255\n\x01\x02\x03\xfd\xfe\xff", []byte{1, 2, 3, 253, 254, 255}},
		{"P5", "P5 2\t1 255\r\x07\xff", []byte{7, 7, 7, 255, 255, 255}},
		{"P5 of 16 levels", "P5 3 1 15 \x00\x07\x0f", []byte{0, 0, 0, 119, 119, 119, 255, 255, 255}},
		{"P5 of 16 bits", "P5 3 1 65535\n\x00\x80\x00\x81\xff\xff", []byte{0, 0, 0, 1, 1, 1, 255, 255, 255}},
		{"P6 of 10 bits", "P6 1 1 1023\n\x00\x02\x02\x00\x07\xff", []byte{0, 128, 255}},
	}
	for _, tt := range tests {
		m, err := Decode(bytes.NewReader([]byte(tt.file)), tt.name)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if !slices.Equal(m.Pix, tt.want) {
			t.Errorf("%s: got %v, want %v", tt.name, m.Pix, tt.want)
		}
	}
}
