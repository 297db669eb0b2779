// Package loss holds the losses that retrieval networks are trained with, and
// their gradients at the descriptors of a batch: Average Precision over a
// histogram of the similarities (Revaud et al., Learning with Average Precision,
// ICCV 2019), its tie-aware forms (He, Lu and Sclaroff, CVPR 2018), and the
// triplet losses that they are compared to (Gordo et al., IJCV 2017).
//
// # What a query is compared to
//
// Every image of a batch is a query against all others. An image is never
// compared to itself: its similarity of 1 is no result of the network, and would
// add a hit at rank one to every query. Pairs of which nothing is known are left
// out of the ranking. Images without a positive in the batch are no queries, but
// stay in the rankings of the others.
//
// # Memory
//
// Similarities, soft assignments and gradients exist for some blocks of queries
// at a time. Beside the descriptors and their gradient a batch of n images takes
// about 2 kB·n, and a few copies of the descriptors.
//
// # Determinism
//
// Value and gradient depend on the batch alone, not on the number of jobs. The
// rankings are computed in float64 from similarities in float32.
package loss
