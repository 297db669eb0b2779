// Package trainset holds the images that a network is trained on: where they
// are, which of them show the same, and the order in which training takes them.
//
// # Relevance
//
// What counts is a relation between two images with three values ([Relation]):
// positive, negative, and ignored for pairs of which neither is known. In a set
// of classes the pairs of a class are positive and all others negative. In
// retrieval-SfM the listed pairs are positive, and what else is of one cluster
// is ignored. In a scene with poses near views are positive, far ones negative,
// and what lies between is ignored.
//
// # Sources
//
// [Open] reads a [Source]: a folder of folders, a CSV file, Landmarks-clean,
// Google Landmarks 1 and 2, retrieval-SfM, and kapture datasets. The functions
// for each say which lines they accept.
//
// # Randomness
//
// What a [Sampler] or a [Pool] draws is a function of the seed, the epoch and
// the step alone. A run that is resumed asks for the next step and gets what an
// uninterrupted one would get; nothing is replayed.
//
// # Errors
//
// What is wrong with the data is a [kapture.InputError] that names file and
// line, at most ten of them and how many more there are. What was left out
// without being wrong (classes of one image, say) is in [Set.Warnings].
package trainset
