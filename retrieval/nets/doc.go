// Package nets computes global descriptors of images with the networks of Deep
// Image Retrieval (Gordo et al., IJCV 2017; Revaud et al., ICCV 2019): a ResNet
// without its classifier, a global pooling, a linear layer, unit length.
//
// # One definition, two executors
//
// A trunk is a list of layers ([New] makes it from the architecture's name).
// On the embedded backend the list is executed directly, with the filters of
// package backend; on a device of XLA it becomes a GoMLX graph. The graph also
// runs on GoMLX's interpreter, where convolutions are lowered to matrix
// products: tests compare the two, and gradients come from there.
//
// # The embedded executor
//
// Batch normalization is folded into the filters, in float64. Values lie in
// planes, channels last, in at most four buffers that are kept from image to
// image. Rows are separated by one zero pixel, so that a 3×3 or 1×1 filter of
// stride 1 goes over a plane as over one long row, without copies of patches
// and without partial tiles at the ends of rows; what it writes between the
// rows is made zero again. Bias, residual and ReLU are part of the filter's
// kernel, and a residual block's result takes the place of its input. The stem
// is computed in strips that are pooled while they are in the cache.
//
// Images in flight share nothing but the weights: that is faster than dividing
// each among the workers, which is done only if there are too few images.
//
// # Graphs on a device
//
// Images of several sizes share a batch: each side is padded to a multiple of
// 1/16 of the next power of two. A value that a filter larger than 1×1 reads is
// multiplied by a mask of the images' true areas at its resolution first, and
// the pooling sees true areas alone, so that padding is as absent as in a batch
// of one.
//
// # Training
//
// A [Learner] computes the third stage of multi-stage backpropagation. On the
// embedded backend small images of one size lie side by side in a plane, pixel
// by pixel, so that feature maps of 2×2 pixels fill the kernel's tiles as large
// ones do, and runs of pixels leave out the taps that would read the border.
// Each result is one chain of sums in a fixed order all the same, whatever lies
// beside it. On a device, parameters, gradient and Adam's moments are vectors
// that stay there, and the next chunk of images is on its way while one is
// computed.
package nets
