//go:build !amd64

package augment

var warpKernel func(r *warpRow)
