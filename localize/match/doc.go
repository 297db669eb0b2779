// Package match finds which keypoints of two images show the same place.
//
// # Mutual nearest neighbours
//
// Two keypoints match if each one's descriptor has the largest dot product with
// the other's among all of its image: what the benchmark of Humenberger et al.
// (Investigating the role of image retrieval for visual localization, IJCV 2022)
// does, with neither ratio test nor threshold. Both can be asked for. The
// products are computed once, in tiles, and never held (see
// backend.NearestBoth), so 20,000 keypoints an image need no more memory than
// their descriptors.
//
// # Verification
//
// A Verifier keeps the matches that agree with one relative pose of two known
// cameras (essential matrix), or with one fundamental matrix where a camera is
// not known.
//
// # Sweeps
//
// A Sweep matches many pairs: in an order that reads descriptors rarely, with a
// bounded cache, several pairs at a time. Its results do not depend on order or
// number of workers.
package match
