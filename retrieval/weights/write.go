package weights

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/google/renameio/v2"
)

// WriteSafetensors writes a checkpoint in the project's format. The file
// appears whole or not at all, and its bytes depend on the checkpoint alone:
// the order of its tensors does not matter. Tensors are written as they are
// read, so that a large checkpoint takes little memory; path may be the file
// that the checkpoint was opened from.
func WriteSafetensors(path string, c *Checkpoint) error {
	f, err := renameio.NewPendingFile(path, renameio.WithTempDir(filepath.Dir(path)), renameio.WithPermissions(0o666))
	if err != nil {
		return err
	}
	defer f.Cleanup()
	w := bufio.NewWriterSize(f, 1<<20)
	if err := c.writeSafetensors(w); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return f.CloseAtomicallyReplace()
}

func (c *Checkpoint) writeSafetensors(w io.Writer) error {
	tensors := slices.Clone(c.Tensors)
	for _, t := range tensors {
		if strings.HasPrefix(t.Name, pcaPrefix) {
			return fmt.Errorf("tensor %s: names that start with %s are those of PCA sets", clip(t.Name), pcaPrefix)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.PCA)) {
		tensors = append(tensors, pcaTensorsOf(name, c.PCA[name])...)
	}
	// Wide types first: every value is then aligned, as the format asks for.
	slices.SortStableFunc(tensors, func(a, b *Tensor) int {
		return cmp.Or(cmp.Compare(b.DType.Size(), a.DType.Size()), cmp.Compare(a.Name, b.Name))
	})
	text, err := c.header(tensors)
	if err != nil {
		return err
	}
	if _, err := w.Write(binary.LittleEndian.AppendUint64(nil, uint64(len(text)))); err != nil {
		return err
	}
	if _, err := w.Write(text); err != nil {
		return err
	}
	for _, t := range tensors {
		err := t.stream(func(b []byte) error {
			_, err := w.Write(b)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// header returns the JSON of the header, filled up to a multiple of eight bytes.
func (c *Checkpoint) header(tensors []*Tensor) ([]byte, error) {
	metadata, err := c.metadata()
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	b.WriteString(`{"` + metadataKey + `":{`)
	for i, key := range slices.Sorted(maps.Keys(metadata)) {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(quote(key) + ":" + quote(metadata[key]))
	}
	b.WriteByte('}')
	at, seen := int64(0), map[string]bool{metadataKey: true}
	for _, t := range tensors {
		if seen[t.Name] {
			return nil, fmt.Errorf("want a name for each tensor, found two named %s", strconv.Quote(clip(t.Name)))
		}
		seen[t.Name] = true
		names, ok := typeBy(func(n typeNames) bool { return n.dtype == t.DType })
		if !ok {
			return nil, fmt.Errorf("tensor %s: want a known type, found %q", clip(t.Name), t.DType)
		}
		shape, err := json.Marshal(append([]int{}, t.Shape...))
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&b, `,%s:{"dtype":"%s","shape":%s,"data_offsets":[%d,%d]}`, quote(t.Name), names.safetensors, shape, at, at+t.bytes())
		at += t.bytes()
	}
	b.WriteByte('}')
	for b.Len()%lengthBytes != 0 {
		b.WriteByte(' ')
	}
	return b.Bytes(), nil
}

// quote returns text as a JSON string. A string always has one.
func quote(s string) string {
	text, err := json.Marshal(s)
	if err != nil {
		panic("weights: no JSON for a string")
	}
	return string(text)
}
