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
// The decoder is our own: the standard library's rounds the inverse DCT
// otherwise than libjpeg, and the descriptors of deep networks show it (a
// cosine of 0.9996 and less with the published ones). This one reads baseline,
// extended and progressive images of 8 bits with Huffman coding (ITU-T T.81),
// in grey, YCbCr, RGB, CMYK and YCCK. Inverse DCT ("islow"), chroma
// interpolation ("fancy upsampling") and conversion are libjpeg's bit by bit.
//
// Two things are stricter than in libjpeg, which warns and makes up pixels: data
// that end early or are damaged, and a missing end marker, are errors. One is
// left out: the smoothing of progressive images that lack their last scans.
//
// # Errors
//
// A file that cannot be read gives the operating system's error; one that can
// be read and is no valid image, or too large, gives a [*FormatError].
package imgio
