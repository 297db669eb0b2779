// Package extract computes global descriptors of many images with a network from
// a checkpoint: decoding ahead, scales, whitening, and features that are written
// so that an interrupted extraction goes on where it stopped.
//
// # Steps
//
// An image is decoded (EXIF orientation ignored unless asked for), cropped if it
// has a crop, shrunk to MaxSize, resized to each of Scales as Pillow does, and
// described at each. The descriptors of several scales are pooled and scaled to
// unit length, then whitened and scaled again. These are the steps of
// deep-image-retrieval ("dirtorch"), in its order.
//
// # Protocols
//
// The field publishes figures of the same network under three settings, see
// [Preset]. The settings and the model's hash are written beside the features,
// as [MetadataFile]; features of other settings are never mixed with them.
//
// # Determinism
//
// Results go to the sink in the order of the images. On the embedded backend
// their bytes depend on neither the workers nor the batches.
//
// # Errors
//
// A choice that the checkpoint cannot meet is an [*OptionError], an image that
// cannot be read a [*kapture.InputError].
package extract
