package imgio

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"os"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
	"golang.org/x/image/webp"
)

// MaxPixels is the size that [Decode] refuses to exceed: 200 megapixels, which
// are 600 MB of RGB.
const MaxPixels = 200_000_000

// Image is an 8-bit RGB image.
type Image struct {
	W, H int    // pixels, both at least 1
	Pix  []byte // H rows of W pixels of red, green, blue; 3·W·H bytes
}

// New returns a black image.
func New(w, h int) *Image { return &Image{W: w, H: h, Pix: make([]byte, 3*w*h)} }

// FormatError says that a file is not an image that [Decode] can read.
type FormatError struct {
	Path string
	Err  error
}

func (e *FormatError) Error() string { return e.Path + ": " + e.Err.Error() }

// Unwrap returns the decoder's error.
func (e *FormatError) Unwrap() error { return e.Err }

// Open reads the image in a file.
func Open(path string) (*Image, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open image: %w", err)
	}
	defer f.Close()
	return Decode(f, path)
}

// Size returns the width and height of the image in a file, which it reads no
// further than needed.
func Size(path string) (w, h int, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, 0, fmt.Errorf("open image: %w", err)
	}
	defer f.Close()
	_, c, err := header(f, path)
	return c.Width, c.Height, err
}

// Decode reads an image; name is its path in messages. The size that the
// header claims is checked before any memory is taken for the pixels.
func Decode(r io.ReadSeeker, name string) (*Image, error) {
	f, _, err := header(r, name)
	if err != nil {
		return nil, err
	}
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("read image %s: %w", name, err)
	}
	m, err := f.decode(bufio.NewReaderSize(r, 1<<16))
	if err != nil {
		return nil, &FormatError{Path: name, Err: plain(err)}
	}
	return m, nil
}

// format is one kind of image file.
type format struct {
	name   string
	magic  string // '?' stands for any byte
	config func(io.Reader) (image.Config, error)
	decode func(io.Reader) (*Image, error)
}

func formats() []format {
	return []format{
		{"JPEG", "\xff\xd8\xff", jpegConfig, decodeJPEG},
		{"PNG", "\x89PNG\r\n\x1a\n", png.DecodeConfig, with(png.Decode, toRGB)},
		{"WebP", "RIFF????WEBP", webp.DecodeConfig, with(webp.Decode, webpToRGB)},
		{"BMP", "BM", bmp.DecodeConfig, with(bmp.Decode, toRGB)},
		{"TIFF", "II*\x00", tiff.DecodeConfig, with(tiff.Decode, toRGB)},
		{"TIFF", "MM\x00*", tiff.DecodeConfig, with(tiff.Decode, toRGB)},
		{"PGM", "P5", netpbmConfig, with(decodeNetpbm, toRGB)},
		{"PPM", "P6", netpbmConfig, with(decodeNetpbm, toRGB)},
	}
}

// with returns a decoder that converts what another one decodes.
func with(decode func(io.Reader) (image.Image, error), rgb func(image.Image) *Image) func(io.Reader) (*Image, error) {
	return func(r io.Reader) (*Image, error) {
		m, err := decode(r)
		if err != nil {
			return nil, err
		}
		return rgb(m), nil
	}
}

func (f *format) matches(start []byte) bool {
	if len(start) < len(f.magic) {
		return false
	}
	for i, c := range []byte(f.magic) {
		if c != '?' && c != start[i] {
			return false
		}
	}
	return true
}

// header finds the format and the size, and refuses what is too large.
func header(r io.ReadSeeker, name string) (format, image.Config, error) {
	start := make([]byte, 16)
	n, err := io.ReadFull(r, start)
	if err != nil && err != io.ErrUnexpectedEOF && err != io.EOF {
		return format{}, image.Config{}, fmt.Errorf("read image %s: %w", name, err)
	}
	refuse := func(err error) (format, image.Config, error) {
		return format{}, image.Config{}, &FormatError{Path: name, Err: err}
	}
	if n == 0 {
		return refuse(errors.New("want an image, found an empty file"))
	}
	for _, f := range formats() {
		if !f.matches(start[:n]) {
			continue
		}
		c, err := f.config(io.MultiReader(bytes.NewReader(start[:n]), r))
		if err != nil {
			return refuse(plain(err))
		}
		if c.Width < 1 || c.Height < 1 || int64(c.Width)*int64(c.Height) > MaxPixels {
			return refuse(fmt.Errorf("want an image of 1 to %d megapixels, found %d×%d", MaxPixels/1_000_000, c.Width, c.Height))
		}
		return f, c, nil
	}
	return refuse(fmt.Errorf("want a JPEG, PNG, BMP, TIFF, WebP or PPM image, found a file that starts with %q", start[:min(n, 8)]))
}

// plain gives an early end of the file its name.
func plain(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return errors.New("the file ends before the image does")
	}
	return err
}
