// Package augment changes training images at random, as the authors of the AP
// loss did: scale, rotation, perspective tilt, crop, flip, colour jitter and
// erasing (Revaud et al., ICCV 2019, section 4.1; Gordo et al., IJCV 2017).
//
// # Order
//
// An image is scaled, turned and tilted, cropped to the output size, flipped,
// jittered, and a part of it erased, in this order. Only the pixels of the crop
// are turned and tilted, both in one interpolation. Where one of the two is off
// the pixels are those of turning or tilting the whole image with Pillow and
// cropping it then. The jitter sees the crop alone: the mean grey that contrast
// needs is that of the crop.
//
// # Arithmetic
//
// Scaling, rotation, brightness, contrast, saturation and hue give Pillow's and
// torchvision's bytes (testdata/README.md says how that was recorded). What is
// random is drawn from the generator that the caller gives, so the same
// generator gives the same pixels.
package augment
