// Package imgio reads photographs as 8-bit RGB and scales them, with the pixels
// that Pillow gives: published descriptors were computed from those, and a
// network amplifies differences.
//
// # Formats
//
// JPEG, PNG, BMP, TIFF, WebP and binary PGM and PPM, recognized by their first
// bytes and never by the file's name. Alpha is dropped, palettes are looked up,
// and of 16-bit samples the high byte is taken, as Pillow's convert("RGB") does;
// those of PGM and PPM are scaled to 8 bits and rounded. (Pillow clips 16-bit
// grey at 255 instead, which turns such images white; we do not.) Orientation
// tags are ignored, as Pillow ignores them, but by [OpenUpright].
//
// # JPEG
//
// The decoder is the standard library's; the chroma interpolation and the
// conversion to RGB are libjpeg's. What remains is the rounding of the inverse
// DCT: at most one level in all but a few of 1,000 samples. The planes of a
// YCCK image are converted by the standard library, with nearest chroma.
//
// # Errors
//
// A file that cannot be read gives the operating system's error; one that can
// be read and is no valid image, or too large, gives a [*FormatError].
package imgio
