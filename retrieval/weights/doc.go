// Package weights reads the checkpoints of retrieval networks: PyTorch's zip
// and legacy containers, as the Deep Image Retrieval code ("dirtorch") and
// torchvision write them, and safetensors, which it writes too.
//
// Nothing in a file is executed: pickles are read as data by package pickle,
// with an allow-list of what PyTorch, numpy and scikit-learn need for tensors
// and PCA sets. Tensors stay in the file until they are asked for, so that a
// [Checkpoint] takes little memory however large the file; it must be closed.
//
// # Format
//
// The project's own format is safetensors (8 bytes length, a JSON header, raw
// little-endian values), its __metadata__ holding what rebuilds the network,
// each as a string:
//
//	locbench                      version of this list: 1
//	arch                          resnet101_rmac
//	out_dim, pooling, gemp        2048, gem, 2.7
//	without_fc, norm_features     false
//	center_bias                   0
//	mean, std                     0.485 0.456 0.406
//	input_size                    224
//	options                       model_options as JSON, as they were
//	pca                           {"Landmarks_clean":{"whiten":true}}
//	note.<key>                    other entries of the checkpoint: epoch, …
//
// and the PCA sets as tensors pca.<set>.mean, .components and .variance. A
// safetensors file without the key locbench is read as a plain state dict.
//
// # Errors
//
// A file that breaks its format gives a *[FormatError] with the byte, one that
// cannot be opened the operating system's error.
package weights
