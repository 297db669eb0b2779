package retrieval

import (
	"context"
	"errors"
	"strings"
	"testing"

	"locbench/kapture"
)

// hugeSource describes descriptors of the largest size; its files are empty.
type hugeSource struct{}

func (hugeSource) Header() kapture.FeatureHeader {
	return kapture.FeatureHeader{Name: "huge", DType: kapture.Float32, DSize: 1 << 24}
}
func (hugeSource) Has(string) bool    { return true }
func (hugeSource) Path(string) string { return "huge.gfeat" }
func (hugeSource) Float32(string, []float32) ([]float32, error) {
	return nil, &kapture.InputError{Path: "huge.gfeat", Msg: "want 67108864 bytes, found 0"}
}

// TestLoadOfWrongSize: 100,000 images of the described size would be 6 TiB.
func TestLoadOfWrongSize(t *testing.T) {
	images := strings.Split(strings.Repeat("a ", 99_999)+"a", " ")
	for i := range images {
		images[i] += string(rune(0x10000 + i))
	}
	_, _, err := Load(t.Context(), hugeSource{}, images, 1)
	if _, ok := errors.AsType[*kapture.InputError](err); !ok {
		t.Errorf("want an input error, found %v", err)
	}
}

func TestLoadStops(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := Load(ctx, hugeSource{}, []string{"a"}, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("want the context's error, found %v", err)
	}
}
