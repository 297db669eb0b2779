// Package sfm localizes query images with 2D-3D correspondences: paradigms 2a
// and 2b of Pion et al., Benchmarking Image Retrieval for Visual Localization
// (3DV 2020).
//
//   - Published (local-sfm) triangulates, for one query at a time, the keypoints
//     that it shares with the retrieved images: the method behind the published
//     tables of local SfM, reproduced as it is.
//   - Refined (local-sfm+) is the same with our estimators throughout.
//   - Global (global-map) takes the points from a map of all mapping images,
//     which Build triangulates or which the scene brings.
//
// All take verified matches from one place: those for k retrieved images are
// among those for more.
//
// # Maps
//
// Build joins matches between mapping images to tracks, of which each sees an
// image at most once, and triangulates them from the known poses. Near lists the
// pairs of images that are worth matching for it.
//
// # Coordinates
//
// Poses are world→camera, lengths metres; keypoints are pixels of the distorted
// image.
package sfm
