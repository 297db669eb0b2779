//go:build !amd64

package backend

// kernels lists the kernels that this processor can run, fastest first.
func kernels() []kernel { return []kernel{portable()} }
