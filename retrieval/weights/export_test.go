package weights

import "bytes"

// ReadBytes reads a checkpoint in memory, for fuzz tests.
func ReadBytes(data []byte) (*Checkpoint, error) {
	return read(bytes.NewReader(data), int64(len(data)), "fuzz")
}
