// Package retrieval finds, for query images, the map images that look most
// alike: global descriptors, exact top k by cosine, fusion of several features,
// and pairs files, which are all that localization gets from it.
//
// Images are known by their names, the rows of [Descriptors] are sorted by name,
// and equal scores are ordered by name, so that the same descriptors give the
// same ranking on any machine, with any number of workers.
package retrieval
