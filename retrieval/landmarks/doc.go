// Package landmarks holds the ground truth of labelled retrieval sets: Oxford
// and Paris, original (Philbin et al., CVPR 2007 and 2008) and revisited
// (Radenović et al., CVPR 2018), and folders of folders of images. It finds where
// the images that the ground truth names stand in a ranking made of
// descriptors, scores or ranks, with any number of distractors.
//
// # Protocols
//
// The ground truth puts a grade on some images of the database for each query;
// a [Setup] says which grades count as positive and which as junk, taken out of
// the ranking. Images without a grade are negative. Query images are cropped to
// their box before a descriptor is made: figures without the crop are too high.
//
// # Order
//
// The higher score first; at equal scores the lower index, which is the order
// of names; distractors last.
//
// # Memory
//
// Only the queries and the database are held. Distractors come from the disk
// in blocks, and of their scores nothing is kept but, for each graded image,
// how many are above it.
package landmarks
