// Package nets computes global descriptors of images: a ResNet, a global
// pooling, a linear layer and L2 (Deep Image Retrieval).
package nets
