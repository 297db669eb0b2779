// Package backend multiplies float32 matrices, on the processor or on a device
// through XLA, and keeps the best products of each row: the search that
// retrieval and matching are made of. Its [Filter] is what package nets computes
// convolutions with on the processor. It is the only package that opens devices.
//
// # Order of sums
//
// The embedded backend adds the products of 256 consecutive features in one
// chain of fused multiply-adds, from the first feature to the last, and then
// adds the chains in their order. The order belongs to the pair of rows alone:
// not to tiles, workers or the other rows. So a score has the same bytes
// whatever is computed beside it, and the AVX-512 and AVX2 kernels agree to the
// last bit; the portable kernel rounds products before it adds them.
//
// # Blocks
//
// The search goes through the database in chunks of rows; a chunk belongs to
// one worker. 256 features of a chunk (224 rows, 224 KiB) are copied so that
// they lie together in the second-level cache. The queries, 1,024 at a time,
// are packed once: panels of 32 queries, feature by feature, of which 256
// features (32 KiB) stay in the first-level cache while the kernel goes down
// the chunk. The kernel holds 14 rows × 32 queries in registers: for each
// feature two loads of queries, 14 broadcasts and 28 multiply-adds. Panels and
// the partial scores of a chunk (1 MiB a worker) come from the third level.
//
// When the last features are added, the tile is compared with the worst score
// that each query still keeps, 16 scores an instruction. Nearly all tiles have
// none above it, so that the selection costs little whatever k is; the scores
// that pass go into a heap for each query and worker. The heaps are merged in
// the end by score and row, an order without ties, so that the result does not
// depend on which worker saw what.
//
// # Filters
//
// A convolution is the same kind of product, but its inputs are read where they
// lie: each tap of a filter is an offset from the pixel, and the kernel takes
// its 14 pixels at a regular step. All taps and features go into one chain of
// multiply-adds, started at the bias, while the accumulators stay in registers;
// residual and ReLU are applied before the result is stored, once. A block of
// tiles whose inputs fit in the second-level cache meets panel after panel of
// weights, of which the third level delivers some bytes a cycle at most.
//
// # XLA
//
// On a device the same is a GoMLX graph: blocks of 1,024 queries × 8,192 rows,
// product and top k in one program, merged by the same heaps.
package backend
