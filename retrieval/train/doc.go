// Package train trains retrieval networks end to end: `locbench train`.
//
// # A step
//
// A batch may be far larger than the memory for its activations (multi-stage
// backpropagation; Revaud et al., ICCV 2019, section 3.3). Its images are
// described in chunks, of which only the descriptors are kept; the loss is
// computed on all descriptors, with its gradient at each; then the chunks are
// computed again, and the gradient goes back through each of them. Both passes
// see the same pixels: all that is random in an image follows from its draw.
// Images whose descriptor has no gradient are not computed again.
//
// # Files
//
// The output directory holds config.yaml (all settings as they were resolved),
// model.safetensors (the best network by validation mAP, or the last one where
// there is no validation), last/state.safetensors (all that a resumed training
// needs), and log.csv. Each is written whole or not at all.
//
// # Determinism
//
// On the embedded backend the weights depend on the settings and the data alone:
// not on the jobs, on the size of chunks, or on where a training was interrupted.
package train
